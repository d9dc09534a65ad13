import { InternalError, VaultError } from "../vault-error.ts";
import type { VaultId } from "./names.ts";
import { VAULT_PATH } from "./paths.ts";
import { decodeRecord } from "./record.ts";
import type { RecordFiles } from "./record-files.ts";
import type { VaultRecord } from "./schema.ts";

/** What vault.json claims, before anything vouches for it. It is read once: what is verified later is this. */
export interface UnverifiedVault {
  readonly files: RecordFiles;
  readonly claim: VaultRecord;
  /** The claimed id: good for finding the pins and keys to check the claim with, for nothing else. */
  readonly id: VaultId;
}

export function readUnverifiedVault(files: RecordFiles): UnverifiedVault {
  const bytes = files.read(VAULT_PATH);
  if (bytes === undefined) {
    throw new VaultError(
      "no-vault",
      `no vault here: ${files.root}`,
      "run this inside the repo that holds .vault, or name it with --vault; make one with vault-run init",
    );
  }
  const claim = decodeRecord(VAULT_PATH, bytes);
  if (claim.type !== "vault") throw new InternalError("vault.json decoded to another type");
  return { files, claim, id: claim.vault };
}

import { VaultError } from "../vault-error.ts";
import { VAULT_ID, type VaultId } from "./names.ts";
import { VAULT_PATH } from "./paths.ts";
import { decodeRecord, SMALL_RECORD_BYTES } from "./record.ts";
import type { RecordSource } from "./record-source.ts";

/** vault.json before anything vouches for it. It is read once: what is verified later is these bytes. */
export interface UnverifiedVault {
  readonly files: RecordSource;
  readonly bytes: Buffer;
  /** The claimed id: good for finding the pins and keys to check the claim with, and where its refusal is recorded. */
  readonly id: VaultId;
}

export function readUnverifiedVault(files: RecordSource): UnverifiedVault {
  const bytes = files.read(VAULT_PATH);
  if (bytes === undefined) {
    throw new VaultError(
      "no-vault",
      `no vault here: ${files.root}`,
      "run this inside the repo that holds .vault, or name it with --vault; make one with vault-run init",
    );
  }
  return { files, bytes, id: claimedId(bytes) };
}

/**
 * What an attempt gives that goes by the claimed id. Where it fails and vault.json is no record at all, that is what is
 * said: the id was no claim then.
 */
export function byClaimedId<T>({ bytes }: UnverifiedVault, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    decodeRecord(VAULT_PATH, bytes);
    throw error;
  }
}

function claimedId(bytes: Buffer): VaultId {
  if (bytes.length > SMALL_RECORD_BYTES) return decodeRecord(VAULT_PATH, bytes).vault;
  try {
    const { vault }: { vault?: unknown } = JSON.parse(bytes.toString("utf8"));
    if (typeof vault === "string" && VAULT_ID.test(vault)) return vault as VaultId;
  } catch {
    // Falls through to who says what is wrong with it.
  }
  return decodeRecord(VAULT_PATH, bytes).vault;
}

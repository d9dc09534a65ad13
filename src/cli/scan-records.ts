import { relative } from "node:path";
import { findGitText } from "../git/stream.ts";
import { readVaultAt } from "../scan/snapshot.ts";
import { findVaultRoot, VAULT_FOLDER } from "../vault/find-vault.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { RecordSource } from "../vault/record-source.ts";
import { VaultError } from "../vault-error.ts";
import type { CommandContext } from "./context.ts";
import type { ScanTarget } from "./scan-target.ts";

/** The records that a scan goes by, and those of the commit that a range begins behind. */
export interface ScanRecords {
  readonly files: RecordSource | undefined;
  /** The `.vault` folder below the work tree's top. */
  readonly folder: string;
  readonly isOnDisk: boolean;
  readonly base: RecordSource | undefined;
}

/** The nearest vault on disk; in a repository without a work tree that of its HEAD, which no push has changed yet. */
export async function findRecords(context: CommandContext, target: ScanTarget): Promise<ScanRecords> {
  const { place } = target;
  if (place?.isBare === true) {
    const head = await findGitText(place.folder, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
    const files = head === undefined ? undefined : await readVaultAt(place.folder, head, VAULT_FOLDER);
    const known = files?.has(VAULT_PATH) === true ? files : undefined;
    return { files: known, folder: VAULT_FOLDER, isOnDisk: false, base: known };
  }
  const files = findOnDisk(context);
  const folder =
    place === undefined || files === undefined ? VAULT_FOLDER : relative(place.folder, files.root);
  const base =
    target.base === undefined || place === undefined
      ? undefined
      : await readVaultAt(place.folder, target.base, folder);
  return { files, folder, isOnDisk: true, base };
}

function findOnDisk(context: CommandContext): RecordSource | undefined {
  const named = context.text("vault");
  try {
    const files = new RecordFiles(findVaultRoot(context.machine, named));
    return named !== undefined || files.has(VAULT_PATH) ? files : undefined;
  } catch (error) {
    if (named === undefined && error instanceof VaultError && error.code === "no-vault") return undefined;
    throw error;
  }
}

import { readBlobs } from "../git/blobs.ts";
import { readHistory, type Version } from "../git/history.ts";
import type { Repository } from "../git/repository.ts";
import type { RecordPath } from "../vault/paths.ts";
import { decodeRecord } from "../vault/record.ts";
import type { SignedRecord } from "../vault/schema.ts";
import { VaultError } from "../vault-error.ts";

/** A record as a commit has it. Nobody vouches for it but its signatures, which are not verified here. */
export interface PastRecord {
  readonly record: SignedRecord;
  readonly version: Version;
  /** Where it stood in `.vault`, wherever that folder was then. */
  readonly path: RecordPath;
}

const VAULT_FOLDER = ".vault/";

/**
 * Every version of some records in the history of `commits`, newest first. The vault's folder may have been moved in the
 * repository: a record says itself where in the vault it belongs. What is no record is passed over.
 *
 * @param paths below `.vault`; a `*` stands for a name.
 */
export async function readPastRecords(
  repository: Repository,
  paths: readonly string[],
  commits: readonly string[] = ["HEAD"],
): Promise<PastRecord[]> {
  if (commits.includes("HEAD") && !(await repository.hasHead())) return [];
  const pathspecs = paths.map((path) => `:(top,glob)**/${VAULT_FOLDER}${path}`);
  const versions = (await readHistory(repository, commits, pathspecs)).flatMap((version) =>
    version.blob === undefined ? [] : [{ version, blob: version.blob }],
  );
  const found: PastRecord[] = [];
  const blobs = readBlobs(
    repository.workTree,
    versions.map(({ blob }) => blob),
  );
  for (const { version } of versions) {
    const { value: bytes } = await blobs.next();
    const path = version.path.slice(
      version.path.lastIndexOf(VAULT_FOLDER) + VAULT_FOLDER.length,
    ) as RecordPath;
    const record = bytes === undefined ? undefined : findPastRecord(path, bytes);
    if (record !== undefined) found.push({ record, version, path });
  }
  return found;
}

/** History may hold anything: what is no record is undefined. */
export function findPastRecord(path: RecordPath, bytes: Buffer): SignedRecord | undefined {
  try {
    return decodeRecord(path, bytes);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

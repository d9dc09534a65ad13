import { relative } from "node:path";
import { readBlobs } from "../../git/blobs.ts";
import { readUnmerged, type Unmerged } from "../../git/merge-state.ts";
import type { Repository } from "../../git/repository.ts";
import { findPlace, type RecordPath, VAULT_PATH } from "../../vault/paths.ts";
import { decodeRecord, recordDigest, signedBytes } from "../../vault/record.ts";
import { RecordSnapshot } from "../../vault/record-snapshot.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import type { SignedRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import { ATTRIBUTES_PATH } from "../journal.ts";
import { findPastRecord, readPastRecords } from "../past-records.ts";
import { later, type Sides } from "./decide.ts";

// What git could not merge, record by record. Each version is decoded here and verified by the caller, who first needs to
// know which owners there are.

/** A record that both sides changed. Where one side lost the file, what the other has stands for both. */
export type Conflict = Sides<SignedRecord>;

/** The conflicts in the vault's folder, by record path. */
export async function readConflicts(
  repository: Repository,
  root: string,
): Promise<Map<RecordPath, Conflict>> {
  const folder = `${relative(repository.workTree, root)}/`;
  const unmerged = (await readUnmerged(repository)).filter(({ path }) => path.startsWith(folder));
  const blobs = await readContents(repository, unmerged);
  const conflicts = new Map<RecordPath, Conflict>();
  for (const entry of unmerged) {
    const path = entry.path.slice(folder.length);
    if (path === ATTRIBUTES_PATH) continue;
    if (findPlace(path) === undefined) throw notARecord(path);
    conflicts.set(path as RecordPath, decodeSides(path as RecordPath, entry, blobs));
  }
  return conflicts;
}

/** The contents of every version in play, by blob; without what is no file, such as a submodule. */
async function readContents(
  repository: Repository,
  unmerged: readonly Unmerged[],
): Promise<Map<string | undefined, Buffer>> {
  const versions = unmerged.flatMap(({ base, ours, theirs }) => [base, ours, theirs]);
  const names = [...new Set(versions)].filter((blob) => blob !== undefined);
  const contents = new Map<string | undefined, Buffer>();
  let next = 0;
  for await (const content of readBlobs(repository.workTree, names)) {
    const name = names[next++];
    if (content !== undefined) contents.set(name, content);
  }
  return contents;
}

function decodeSides(
  path: RecordPath,
  entry: Unmerged,
  blobs: ReadonlyMap<string | undefined, Buffer>,
): Conflict {
  const versions = [entry.base, entry.ours, entry.theirs];
  if (versions.some((blob) => blob !== undefined && !blobs.has(blob))) throw notARecord(path);
  const decoded = (bytes: Buffer | undefined) =>
    bytes === undefined ? undefined : decodeRecord(path, bytes);
  const [ours, theirs] = [decoded(blobs.get(entry.ours)), decoded(blobs.get(entry.theirs))];
  // Where the histories crossed before, git makes a base of two versions, with its marks in it.
  const before = blobs.get(entry.base);
  const base = before === undefined ? undefined : findPastRecord(path, before);
  const either = ours ?? theirs;
  if (either === undefined) throw notARecord(path);
  return { base, ours: ours ?? either, theirs: theirs ?? either };
}

/**
 * The same conflicts, without what is no change: a version that one side has already gone past, which someone put back on the
 * other. There the newer one stands for both.
 *
 * @param other the commit that is merged.
 */
export async function withoutReplays(
  repository: Repository,
  conflicts: ReadonlyMap<RecordPath, Conflict>,
  other: string | undefined,
): Promise<Map<RecordPath, Conflict>> {
  if (conflicts.size === 0 || other === undefined) return new Map(conflicts);
  const paths = [...conflicts.keys()];
  const versionsIn = async (commit: string) => {
    const past = await readPastRecords(repository, paths, [commit]);
    return new Set(past.map(({ record }) => digestOf(record)));
  };
  const [here, there] = [await versionsIn("HEAD"), await versionsIn(other)];
  return new Map(
    [...conflicts].map(([path, { base, ours, theirs }]) => {
      const isOursPast = there.has(digestOf(ours));
      const isTheirsPast = here.has(digestOf(theirs));
      if (isOursPast === isTheirsPast) return [path, { base, ours, theirs }];
      const newer = isOursPast ? theirs : ours;
      return [path, { base, ours: newer, theirs: newer }];
    }),
  );
}

function digestOf(record: SignedRecord): string {
  return recordDigest(signedBytes(record));
}

/** The vault's files with the later version of each conflict in its place: what the merge is made from. */
export function tentativeMerge(
  disk: RecordSource,
  conflicts: ReadonlyMap<RecordPath, Conflict>,
  encode: (record: SignedRecord) => Buffer,
): RecordSnapshot {
  const files = new Map<string, Buffer | "not-plain">();
  for (const path of disk.paths()) {
    if (findPlace(path) === undefined) continue;
    const bytes = disk.read(path as RecordPath);
    if (bytes !== undefined && !conflicts.has(path as RecordPath)) files.set(path, bytes);
  }
  // Of vault.json ours: theirs may list an owner who was removed here, and is merged before it counts.
  for (const [path, { ours, theirs }] of conflicts)
    files.set(path, encode(path === VAULT_PATH ? ours : later(ours, theirs)));
  return new RecordSnapshot(disk.root, files);
}

function notARecord(path: string): VaultError {
  return new VaultError(
    "record-invalid",
    `a conflict in a file that is no record: .vault/${path}`,
    "resolve that one by hand and git add it, then run this again",
  );
}

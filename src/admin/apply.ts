import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Repository } from "../git/repository.ts";
import type { RecordPath } from "../vault/paths.ts";
import { decodeRecord, encodeRecord } from "../vault/record.ts";
import type { SignedRecord } from "../vault/schema.ts";
import { syncFolder, writeFileDurably } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { findJournal, type Journal, type JournalWrite, removeJournal, writeJournal } from "./journal.ts";
import type { Plan } from "./plan.ts";

// One way for every change to reach the disk. The steps:
//   1. the journal, durable: everything that will be written, and what stands there now
//   2. each file: written beside its place, fsynced, renamed over it; then the folders are fsynced
//   3. one commit of exactly these paths
//   4. the journal is removed
// A failure in 2 or 3 puts back what stood there before. A kill leaves the journal, and `finishInterrupted` goes on
// from wherever it stopped: a file holds either its text before or after, so every step can be done again.

const PARALLEL_WRITES = 8;

export interface Target {
  /** Absolute path of the `.vault` folder. */
  readonly root: string;
  readonly repository: Repository;
  /** Where journal and lock live: inside the git folder, so they are never committed. */
  readonly scratchFolder: string;
}

/** Carries out a plan. Resolves to the new commit's short id, undefined where none was to be made. */
export async function applyPlan(plan: Plan, target: Target, commit: boolean): Promise<string | undefined> {
  const writes = plan.writes.map(({ path, record }) => ({
    path,
    before: currentText(target.root, path),
    after: checkedText(path, record),
  }));
  const journal: Journal = { root: target.root, message: plan.message, commit, writes };
  writeJournal(target.scratchFolder, journal);
  return carryOut(journal, target);
}

/** What no reader would take is never written. */
function checkedText(path: RecordPath, record: SignedRecord): string {
  const bytes = encodeRecord(record);
  decodeRecord(path, bytes);
  return bytes.toString("utf8");
}

/** Finishes what a killed process had begun. Resolves to the operation's message, undefined where there was none. */
export async function finishInterrupted(target: Target): Promise<string | undefined> {
  const journal = findJournal(target.scratchFolder);
  if (journal === undefined) return undefined;
  for (const write of journal.writes) {
    const current = currentText(journal.root, write.path);
    if (current === write.before || current === write.after) continue;
    throw new VaultError(
      "interrupted",
      `an interrupted operation (${journal.message}) cannot be finished, a file changed since: .vault/${write.path}`,
      `restore that file with git and run the command again, or remove ${join(target.scratchFolder, "journal.json")} to give the operation up`,
    );
  }
  await carryOut(journal, { ...target, root: journal.root });
  return journal.message;
}

async function carryOut(journal: Journal, target: Target): Promise<string | undefined> {
  let commit: string | undefined;
  try {
    await putInPlace(journal.writes, target.root);
    const paths = journal.writes.map((write) => join(target.root, write.path));
    if (journal.commit) commit = await target.repository.commit(paths, journal.message, target.scratchFolder);
  } catch (error) {
    try {
      takeBack(journal.writes, target.root);
      removeJournal(target.scratchFolder);
    } catch (failure) {
      // The journal stays: the next verb finishes the operation.
      throw diskError(failure, "take back a failed change in", target.root);
    }
    throw diskError(error, "write to", target.root);
  }
  removeJournal(target.scratchFolder);
  return commit;
}

async function putInPlace(writes: readonly JournalWrite[], root: string): Promise<void> {
  const queue = writes.entries();
  const worker = async () => {
    for (const [index, write] of queue)
      await replaceFile(join(root, write.path), draftPath(root, index), write.after);
  };
  await Promise.all(Array.from({ length: PARALLEL_WRITES }, worker));
  for (const folder of new Set(writes.map((write) => dirname(join(root, write.path))))) syncFolder(folder);
}

async function replaceFile(path: string, draft: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(draft, "w", 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

function takeBack(writes: readonly JournalWrite[], root: string): void {
  for (const [index, write] of writes.entries()) {
    const path = join(root, write.path);
    const draft = draftPath(root, index);
    rmSync(draft, { force: true });
    if (currentText(root, write.path) === write.before) continue;
    if (write.before === null) {
      rmSync(path, { force: true });
      removeEmptyFolders(dirname(path), root);
      continue;
    }
    writeFileDurably(draft, Buffer.from(write.before), "w", 0o644);
    renameSync(draft, path);
  }
}

/** A draft stands beside the records, on the same file system, under a name that no record can have. */
function draftPath(root: string, index: number): string {
  return join(root, `.draft-${index}`);
}

function removeEmptyFolders(folder: string, root: string): void {
  for (let at = folder; at.startsWith(root); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch (error) {
      if (systemCode(error) === "ENOENT") continue;
      return;
    }
  }
}

function currentText(root: string, path: RecordPath): string | null {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
    throw diskError(error, "read", join(root, path));
  }
}

/** Makes the folder for journal and lock. */
export function prepareScratch(repository: Repository): string {
  const folder = join(repository.gitFolder, "vault-run");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw diskError(error, "use", folder);
  }
  return folder;
}

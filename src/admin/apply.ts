import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Repository } from "../git/repository.ts";
import { createKeyFile } from "../vault/key-file.ts";
import { decodeRecord, encodeRecord } from "../vault/record.ts";
import { makeFolder, syncFolder, writeFileDurably } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import {
  ATTRIBUTES_PATH,
  findJournal,
  type Journal,
  type JournalWrite,
  journalPath,
  removeJournal,
  type WrittenPath,
  writeJournal,
} from "./journal.ts";
import type { Plan, PlannedWrite } from "./plan.ts";

// One way for every change to reach the disk. The steps:
//   1. the key file, where the change brings one
//   2. the journal, durable: everything that will be written, and what stands there now
//   3. each file: written under a new random name beside the records, fsynced, renamed over its place; then the folders
//      are fsynced. Nothing is written through a link, whatever a repo writer laid there.
//   4. one commit of exactly these paths
//   5. the journal is removed
// A failure in 3 or 4 puts back what stood there before. A kill leaves the journal, and `finishInterrupted` goes on from
// wherever it stopped: a file holds either its text before or after, so every step can be done again. What it cannot
// finish it leaves as it is, journal and all: the killed process's git may still be at work, so it never takes back.

const PARALLEL_WRITES = 8;
const ATTRIBUTES_TEXT =
  "# Records are compared byte for byte: git must not change their line ends.\n* -text\n";

export interface Target {
  /** Absolute path of the `.vault` folder. */
  readonly root: string;
  readonly repository: Repository;
  /** Where journal and lock live: inside the git folder, so they are never committed. */
  readonly scratchFolder: string;
}

/** Carries out a plan. Resolves to the new commit's short id, undefined where none was to be made. */
export async function applyPlan(plan: Plan, target: Target, commit: boolean): Promise<string | undefined> {
  const writes = [
    ...attributesWrite(target.root),
    ...plan.writes.map((write) => journalWrite(target.root, write)),
  ];
  const token = randomBytes(16).toString("hex");
  const journal: Journal = {
    root: target.root,
    message: plan.message,
    commit,
    event: plan.event,
    token,
    writes,
  };
  if (plan.keyFile !== undefined) createKeyFile(plan.keyFile.path, plan.keyFile.text);
  try {
    writeJournal(target.scratchFolder, journal);
    return await carryOut(journal, target, () => takeBack(journal, target));
  } catch (error) {
    // Where the journal remains the change will be finished, and its key file is needed.
    if (plan.keyFile !== undefined && findJournal(target.scratchFolder) === undefined)
      rmSync(plan.keyFile.path, { force: true });
    throw diskError(error, "write to", target.root);
  }
}

/** Finishes what a killed process had begun. Resolves to its journal, undefined where there was none. */
export async function finishInterrupted(target: Target): Promise<Journal | undefined> {
  const journal = findJournal(target.scratchFolder);
  if (journal === undefined) return undefined;
  const foreign = journal.writes.find(
    (write) => ![write.before, write.after].includes(currentText(journal.root, write.path)),
  );
  if (foreign !== undefined) {
    throw new VaultError(
      "interrupted",
      `an interrupted operation (${journal.message}) cannot be finished, a file changed since: .vault/${foreign.path}`,
      `restore that file with git and run the command again, or remove ${journalPath(target.scratchFolder)} to give the operation up`,
    );
  }
  try {
    await carryOut(journal, { ...target, root: journal.root }, () => {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    throw new VaultError(
      "interrupted",
      `an interrupted operation (${journal.message}) waits to be finished, and could not be: ${reason}`,
      "mend that and run the command again; nothing is lost",
      { cause: error },
    );
  }
  return journal;
}

async function carryOut(
  journal: Journal,
  target: Target,
  onFailure: () => void,
): Promise<string | undefined> {
  let commit: string | undefined;
  try {
    await putInPlace(journal, target.root);
    const paths = journal.writes.map((write) => join(target.root, write.path));
    if (journal.commit) commit = await target.repository.commit(paths, journal.message, target.scratchFolder);
  } catch (error) {
    onFailure();
    throw error;
  }
  removeJournal(target.scratchFolder);
  return commit;
}

function journalWrite(root: string, { path, record }: PlannedWrite): JournalWrite {
  const bytes = encodeRecord(record);
  // What no reader would take is never written.
  decodeRecord(path, bytes);
  return { path, before: currentText(root, path), after: bytes.toString("utf8") };
}

function attributesWrite(root: string): JournalWrite[] {
  const before = currentText(root, ATTRIBUTES_PATH);
  return before === null ? [{ path: ATTRIBUTES_PATH, before, after: ATTRIBUTES_TEXT }] : [];
}

async function putInPlace(journal: Journal, root: string): Promise<void> {
  mkdirIfMissing(root);
  const queue = [...journal.writes.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, write] = next;
      await replaceFile(root, write, draftPath(root, journal.token, index));
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: PARALLEL_WRITES }, worker));
  const failed = workers.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  for (const folder of new Set(journal.writes.map((write) => dirname(join(root, write.path)))))
    syncFolder(folder);
}

async function replaceFile(root: string, write: JournalWrite, draft: string): Promise<void> {
  makePlainFolders(root, write.path);
  // Left by an earlier attempt at this same journal.
  rmSync(draft, { force: true });
  const file = await open(draft, "wx", 0o644);
  try {
    await file.writeFile(write.after);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(root, write.path));
}

function takeBack(journal: Journal, target: Target): void {
  const { root } = target;
  try {
    for (const [index, write] of journal.writes.entries()) {
      const draft = draftPath(root, journal.token, index);
      rmSync(draft, { force: true });
      if (currentText(root, write.path) !== write.before) restore(root, write, draft);
    }
    removeJournal(target.scratchFolder);
  } catch (error) {
    throw new VaultError(
      "interrupted",
      `a change failed and could not be taken back (${systemCode(error) ?? "error"}): ${journal.message}`,
      "mend the disk and run any verb that changes the vault: it finishes the operation; nothing is lost",
      { cause: error },
    );
  }
}

function restore(root: string, write: JournalWrite, draft: string): void {
  const path = join(root, write.path);
  if (write.before === null) {
    rmSync(path, { force: true });
    removeEmptyFolders(dirname(path), root);
    return;
  }
  writeFileDurably(draft, Buffer.from(write.before), "wx", 0o644);
  renameSync(draft, path);
}

/** A draft stands in the vault's folder, on its file system, under a name that no record has and nobody can guess. */
function draftPath(root: string, token: string, index: number): string {
  return join(root, `.draft-${token}-${index}`);
}

/** Makes the folders on the way to a record; one that is there must be a folder and no link. */
function makePlainFolders(root: string, path: WrittenPath): void {
  const segments = path.split("/").slice(0, -1);
  for (let depth = 1; depth <= segments.length; depth++) {
    const folder = join(root, ...segments.slice(0, depth));
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    if (stat === undefined) mkdirIfMissing(folder);
    else if (!stat.isDirectory()) {
      throw notPlain(folder);
    }
  }
}

function notPlain(path: string): VaultError {
  return new VaultError(
    "record-invalid",
    `not a plain file or folder: ${path}`,
    "remove it: nothing in .vault may be a link or a device",
  );
}

function mkdirIfMissing(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
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

/** The text that stands at a path, null where there is nothing. Never read through a link. */
function currentText(root: string, path: WrittenPath): string | null {
  let fd: number;
  try {
    fd = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
    if (systemCode(error) === "ELOOP") throw notPlain(join(root, path));
    throw diskError(error, "read", join(root, path));
  }
  try {
    if (!fstatSync(fd).isFile()) throw notPlain(join(root, path));
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Makes the folder for journal and lock. */
export function prepareScratch(repository: Repository): string {
  const folder = join(repository.gitFolder, "vault-run");
  makeFolder(folder);
  return folder;
}

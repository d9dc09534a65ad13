import { randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { AS_IT_IS } from "../git/attributes.ts";
import type { Repository } from "../git/repository.ts";
import { digest } from "../vault/fingerprint.ts";
import { createKeyFile, holdsKeyText, removeKeyDraft } from "../vault/key-file.ts";
import { decodeRecord, encodeRecord } from "../vault/record.ts";
import { makeFolder } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { type Basis, requireUnchanged } from "./basis.ts";
import { currentText, FileChanges } from "./file-changes.ts";
import {
  ATTRIBUTES_PATH,
  findJournal,
  type Journal,
  type JournalWrite,
  journalPath,
  markMade,
  removeJournal,
  writeJournal,
} from "./journal.ts";
import type { Plan, PlannedWrite, Progress } from "./plan.ts";

// One way for every change to reach the disk. What goes to no file, a new key on standard output, is handed over first: a
// key that nobody has must not be one that the vault names. The steps:
//   1. the journal, durable: everything that will be written, and what stands there now
//   2. the key file, where the change brings one
//   3. the files, durable
//   4. one commit of exactly these paths, durable
//   5. what is to follow a change that is made: pins, audit line. Where it fails the change stays, and the journal, which
//      then says that all else is done
//   6. the journal is removed
// A failure in 2, 3 or 4 puts back what stood there before. A kill leaves the journal, and `finishInterrupted` goes on from
// wherever it stopped: a file holds either its text before or after, so every step can be done again. Only before 3, where
// the key file is lost with the process that had its text, nothing has begun and the journal is dropped. What it cannot
// finish it leaves as it is, journal and all: the killed process's git may still be at work, so it never takes back.

const ATTRIBUTES_TEXT = `# Records are compared byte for byte: git must neither change nor mix them.\n${AS_IT_IS}\n`;

export interface Target {
  /** Absolute path of the `.vault` folder. */
  readonly root: string;
  readonly repository: Repository;
  /** Where journal and lock live: inside the git folder, so they are never committed. */
  readonly scratchFolder: string;
  /** Called as files are written. */
  readonly wrote?: Progress | undefined;
}

/**
 * Carries out a plan. Resolves to the new commit's short id, undefined where none was to be made.
 *
 * @param basis what it was made from: where that has changed, nothing is written.
 * @param followUp what is to follow the change; given the change's token. Where it fails the change is made all the same, and
 *   whoever finishes it does the rest.
 */
export async function applyPlan(
  plan: Plan,
  target: Target,
  commit: boolean,
  basis: Basis,
  followUp: (token: string) => Promise<void> = async () => {},
): Promise<string | undefined> {
  const journal = journalOf(plan, target, commit, basis.head.branch);
  // After the texts of before were read: those are the ones that the plan was made from, or nothing is written.
  await requireUnchanged(basis, target);
  await plan.handOver?.();
  const files = new FileChanges(journal, target.root);
  let id: string | undefined;
  try {
    writeJournal(target.scratchFolder, journal);
    try {
      if (plan.keyFile !== undefined) createKeyFile(plan.keyFile.path, plan.keyFile.text, journal.token);
      id = await carryOut(journal, files, target);
    } catch (error) {
      takeBack(journal, files, target);
      throw error;
    }
  } catch (error) {
    throw diskError(error, "write", target.root);
  }
  try {
    await followUp(journal.token);
  } catch (error) {
    markMade(target.scratchFolder, journal);
    tidyBesideFiles(journal, files);
    throw unfinished("the change is made", error);
  }
  closeJournal(journal, target);
  return id;
}

/** Whoever finishes it tidies up again. */
function tidyBesideFiles({ keyFile, token }: Journal, files: FileChanges): void {
  try {
    if (keyFile !== undefined) removeKeyDraft(keyFile.path, token);
    files.tidy();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/** The refusal of a verb that leaves the rest of a change to the next one. */
export function unfinished(
  what: string,
  cause: unknown,
  next = "mend that and run any verb that changes the vault: it pins it first",
): VaultError {
  const reason = cause instanceof Error ? cause.message : "";
  return new VaultError("interrupted", `${what}, but it is not pinned on this machine yet: ${reason}`, next, {
    cause,
  });
}

function journalOf(
  plan: Plan,
  { root, repository }: Target,
  commit: boolean,
  branch: string | null,
): Journal {
  const { message, event, keyFile } = plan;
  const writes = [...attributesWrite(root), ...plan.writes.map((write) => journalWrite(root, write))];
  const token = randomBytes(16).toString("hex");
  const key =
    keyFile === undefined
      ? {}
      : { keyFile: { path: keyFile.path, digest: digest(Buffer.from(keyFile.text)) } };
  return { root: relative(repository.workTree, root), branch, message, commit, event, token, writes, ...key };
}

/**
 * Finishes what a killed process had begun, all but what follows the change: that is for the caller to do before
 * `closeJournal`. Resolves to its journal, undefined where there was nothing to finish.
 */
export async function finishInterrupted(target: Target): Promise<Journal | undefined> {
  const journal = findJournal(target.scratchFolder);
  if (journal === undefined || journal.made === true) return journal;
  const files = new FileChanges(journal, rootOf(journal, target));
  const foreign = files.findForeign();
  if (foreign !== undefined) {
    throw new VaultError(
      "interrupted",
      `an interrupted operation (${journal.message}) cannot be finished, a file changed since: .vault/${foreign}`,
      `restore that file with git and run the command again, or remove ${journalPath(target.scratchFolder)} to give the operation up`,
    );
  }
  if (!hasKeyFile(journal) && files.isUntouched) {
    takeBack(journal, files, target);
    return undefined;
  }
  await requireOwnBranch(journal, target);
  try {
    await carryOut(journal, files, target);
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

/** What was begun on one branch is no commit for another, though its files be the same. */
async function requireOwnBranch({ branch, message }: Journal, { repository }: Target): Promise<void> {
  const head = await repository.readHead();
  if (head.branch === branch) return;
  const name = branch?.replace(/^refs\/heads\//, "");
  throw new VaultError(
    "interrupted",
    `an interrupted operation (${message}) was begun on ${name === undefined ? "no branch" : `branch ${name}`}`,
    name === undefined
      ? "check out the commit it was begun on and run the command again: it is finished there"
      : `go back to that branch and run the command again, which finishes it there: git switch ${name}`,
  );
}

async function carryOut(journal: Journal, files: FileChanges, target: Target): Promise<string | undefined> {
  await files.putInPlace(target.wrote);
  if (!journal.commit) return undefined;
  const paths = journal.writes.map((write) => join(rootOf(journal, target), write.path));
  return target.repository.commit(paths, journal.message, target.scratchFolder);
}

/** The change is made, and so is all that follows it. */
export function closeJournal(journal: Journal, target: Target): void {
  try {
    if (journal.keyFile !== undefined) removeKeyDraft(journal.keyFile.path, journal.token);
    new FileChanges(journal, rootOf(journal, target)).tidy();
    removeJournal(target.scratchFolder);
  } catch (error) {
    throw new VaultError(
      "interrupted",
      `the change is made, but not tidied up after (${systemCode(error) ?? "error"}): ${journal.message}`,
      "mend the disk and run any verb that changes the vault: it tidies up",
      { cause: error },
    );
  }
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

/** Absolute path of the `.vault` folder that a journal is about. */
export function rootOf({ root }: Journal, { repository }: Target): string {
  return join(repository.workTree, root);
}

/** Whether the key file that the change brings is in place. */
function hasKeyFile({ keyFile }: Journal): boolean {
  return keyFile === undefined || holdsKeyText(keyFile.path, keyFile.digest);
}

function takeBack(journal: Journal, files: FileChanges, { scratchFolder }: Target): void {
  const { keyFile, token } = journal;
  try {
    files.takeBack();
    if (keyFile !== undefined) removeKeyDraft(keyFile.path, token);
    if (keyFile !== undefined && hasKeyFile(journal)) rmSync(keyFile.path);
    removeJournal(scratchFolder);
  } catch (error) {
    throw new VaultError(
      "interrupted",
      `a change failed and could not be taken back (${systemCode(error) ?? "error"}): ${journal.message}`,
      "mend the disk and run any verb that changes the vault: it finishes the operation; nothing is lost",
      { cause: error },
    );
  }
}

/** Makes the folder for journal and lock. */
export function prepareScratch(repository: Repository): string {
  const folder = join(repository.gitFolder, "vault-run");
  makeFolder(folder);
  return folder;
}

/** Removes what killed operations left besides journal and lock. Only for who has the lock. */
export function tidyScratch(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith("lock") || join(folder, name) === journalPath(folder)) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

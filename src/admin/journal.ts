import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { findPlace, type RecordPath } from "../vault/paths.ts";
import { findExcess } from "../vault/record.ts";
import { syncFolder, writeFileAtomic } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import type { OwnerEvent } from "./plan.ts";

// What an operation is about to do, written whole and durably before its first change. Its presence is the point of no
// return: with it the next verb finishes the operation, without it nothing had begun. It holds no key: of a key file that
// the change brings only where it will be and its digest.

export interface Journal {
  /** Path of the `.vault` folder it is about, from the top of the work tree: it holds wherever that is moved to. */
  readonly root: string;
  /** The branch it was begun on, as a whole ref; null where HEAD was none. */
  readonly branch: string | null;
  readonly message: string;
  readonly commit: boolean;
  readonly event: OwnerEvent;
  /**
   * Random: part of the drafts' names, so that nobody can lay something in their way, and the id of the audit line, so
   * that it is written once.
   */
  readonly token: string;
  /** Absolute path, and the digest of the text. */
  readonly keyFile?: { readonly path: string; readonly digest: string } | undefined;
  readonly writes: readonly JournalWrite[];
  /** True once nothing is left to do but to pin it: then the files may have moved on. */
  readonly made?: boolean | undefined;
}

export interface JournalWrite {
  readonly path: WrittenPath;
  /** The file's text before, null where there was none. */
  readonly before: string | null;
  readonly after: string;
}

/** Besides records, git's attributes: they keep git from changing line ends in records. */
export const ATTRIBUTES_PATH = ".gitattributes";
export type WrittenPath = RecordPath | typeof ATTRIBUTES_PATH;

const MAX_DEPTH = 16;

const isWritten = (path: unknown) =>
  typeof path === "string" && (path === ATTRIBUTES_PATH || findPlace(path) !== undefined);
const schema = z.strictObject({
  root: z.string().check(z.refine((root) => !root.split("/").includes(".."))),
  branch: z.nullable(z.string()),
  message: z.string(),
  commit: z.boolean(),
  event: z.custom<OwnerEvent>((event) => typeof event === "object" && event !== null && "action" in event),
  token: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
  keyFile: z.optional(
    z.strictObject({ path: z.string(), digest: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
  ),
  writes: z.array(
    z.strictObject({
      path: z.custom<WrittenPath>(isWritten),
      before: z.nullable(z.string()),
      after: z.string(),
    }),
  ),
  made: z.optional(z.boolean()),
});

export const journalPath = (scratchFolder: string): string => join(scratchFolder, "journal.json");

/** On failure there is none. */
export function writeJournal(scratchFolder: string, journal: Journal): void {
  try {
    writeFileAtomic(journalPath(scratchFolder), Buffer.from(`${JSON.stringify(journal)}\n`), 0o600);
  } catch (error) {
    // It is in place where only its folder could not be fsynced.
    rmSync(journalPath(scratchFolder), { force: true });
    throw error;
  }
}

/** Says in it that all is done but to pin the change. Where that fails the one that is there is as good while the files stay. */
export function markMade(scratchFolder: string, journal: Journal): void {
  try {
    const text = JSON.stringify({ ...journal, made: true });
    writeFileAtomic(journalPath(scratchFolder), Buffer.from(`${text}\n`), 0o600);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
  }
}

export function findJournal(scratchFolder: string): Journal | undefined {
  const path = journalPath(scratchFolder);
  let json: Buffer;
  try {
    json = readFileSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw diskError(error, "read the journal", path);
  }
  try {
    // What is nested deeper than any would only be built to be refused.
    if (findExcess(json, MAX_DEPTH, Number.POSITIVE_INFINITY) !== undefined)
      throw new TypeError("nested too deeply");
    return z.parse(schema, JSON.parse(json.toString()));
  } catch (cause) {
    throw new VaultError(
      "interrupted",
      `an interrupted operation left a journal that cannot be read: ${path}`,
      "look at git status of .vault, restore it with git, then remove that file",
      { cause },
    );
  }
}

export function removeJournal(scratchFolder: string): void {
  rmSync(journalPath(scratchFolder), { force: true });
  try {
    syncFolder(scratchFolder);
  } catch {
    // One that a power cut brings back is found with every file before or after, and finished again.
  }
}

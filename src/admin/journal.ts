import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { findPlace, type RecordPath } from "../vault/paths.ts";
import { syncFolder, writeFileAtomic } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";

// What an operation is about to do, written whole and durably before its first change. Its presence is the point of no
// return: with it the next verb finishes the operation (or takes it back), without it nothing had begun.

export interface Journal {
  /** Absolute path of the `.vault` folder it is about. */
  readonly root: string;
  readonly message: string;
  readonly commit: boolean;
  readonly writes: readonly JournalWrite[];
}

export interface JournalWrite {
  readonly path: RecordPath;
  /** The file's text before, null where there was none. */
  readonly before: string | null;
  readonly after: string;
}

const schema = z.strictObject({
  root: z.string(),
  message: z.string(),
  commit: z.boolean(),
  writes: z.array(
    z.strictObject({
      path: z.custom<RecordPath>((path) => typeof path === "string" && findPlace(path) !== undefined),
      before: z.nullable(z.string()),
      after: z.string(),
    }),
  ),
});

const journalPath = (scratchFolder: string) => join(scratchFolder, "journal.json");

export function writeJournal(scratchFolder: string, journal: Journal): void {
  mkdirSync(scratchFolder, { recursive: true, mode: 0o700 });
  writeFileAtomic(journalPath(scratchFolder), Buffer.from(`${JSON.stringify(journal)}\n`), 0o600);
}

export function findJournal(scratchFolder: string): Journal | undefined {
  const path = journalPath(scratchFolder);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw diskError(error, "read the journal", path);
  }
  try {
    return z.parse(schema, JSON.parse(text));
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
  syncFolder(dirname(journalPath(scratchFolder)));
}

import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import type { VaultId } from "../vault/names.ts";
import { diskError, systemCode } from "../vault-error.ts";
import { LOG_NAME, readTail, SEGMENT_BYTES } from "./log-file.ts";

// The files of a log: `audit.jsonl` is written to, and whoever finds it grown moves it to the next free `audit.N.jsonl`.
// Without a lock: a number is taken by making an empty file of that name, which only one can, and what it names is
// replaced by whoever made it alone. So no file with lines is ever written over, wherever anyone is killed or how many move
// at once; at worst an empty file stays, or a short one is moved. Who opened the file before the move goes on appending to
// it, where it is now: a line may stand behind one that was written later.
//
// Loaded only where a file is full or new.

const SEGMENT = /^audit\.([1-9]\d{0,8})\.jsonl$/;
const MAX_NUMBER = 999_999_999;

/** The paths of a log's files, those that were moved away first, in the order in which they are read. */
export function auditSegments(folder: string): string[] {
  const names = namesIn(folder);
  const numbers = numbersOf(names).sort((a, b) => a - b);
  const current = names.includes(LOG_NAME) ? [`${folder}/${LOG_NAME}`] : [];
  return [...numbers.map((number) => segmentPath(folder, number)), ...current];
}

/**
 * Moves the file away if it is still there and full. Where it cannot be moved, in a folder that takes no names or as a file
 * that may only be appended to, it stays and grows on: no record is lost by that.
 */
export function moveAway(folder: string): void {
  const path = `${folder}/${LOG_NAME}`;
  try {
    const number = Math.max(0, ...numbersOf(namesIn(folder))) + 1;
    if (number > MAX_NUMBER) return;
    const to = segmentPath(folder, number);
    closeSync(openSync(to, "wx", 0o600));
    let isMoved = false;
    try {
      if (isFull(path)) {
        renameSync(path, to);
        isMoved = true;
      }
    } finally {
      // What was moved may be empty too, and is then about to be written to.
      if (!isMoved && lstatSync(to).size === 0) rmSync(to);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/** The vault's last line in the files that were moved away; undefined where they have none. */
export function lastLineMovedAway(folder: string, vault: VaultId): Buffer | undefined {
  const numbers = numbersOf(namesIn(folder)).sort((a, b) => b - a);
  for (const number of numbers) {
    const path = segmentPath(folder, number);
    const fd = openSegment(path);
    if (fd === undefined) continue;
    try {
      const { last } = readTail(fd, path, vault);
      if (last !== undefined) return last;
    } finally {
      closeSync(fd);
    }
  }
  return undefined;
}

/**
 * Undefined where it is gone: a number that was taken, given back as there was nothing to move any more. A pipe in its place
 * is not waited for.
 */
function openSegment(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a whole line has this id. */
export function holdsLine(folder: string, id: string): boolean {
  return auditSegments(folder).some((path) => {
    const text = readFile(path);
    for (let at = text.indexOf(id); at !== -1; at = text.indexOf(id, at + 1)) {
      const end = text.indexOf("\n", at);
      if (end !== -1 && idOf(text.slice(text.lastIndexOf("\n", at) + 1, end)) === id) return true;
    }
    return false;
  });
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "";
    throw diskError(error, "read the audit log", path);
  }
}

function idOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { id?: unknown } | null)?.id;
  } catch {
    return undefined;
  }
}

const segmentPath = (folder: string, number: number) => `${folder}/audit.${number}.jsonl`;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw diskError(error, "list the audit logs in", folder);
  }
}

function numbersOf(names: readonly string[]): number[] {
  return names.flatMap((name) => SEGMENT.exec(name)?.[1] ?? []).map(Number);
}

function isFull(path: string): boolean {
  const stat = lstatSync(path);
  return stat.isFile() && stat.size >= SEGMENT_BYTES;
}

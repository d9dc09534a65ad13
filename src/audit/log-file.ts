import { fstatSync, readSync } from "node:fs";
import type { VaultId } from "../vault/names.ts";
import { VaultError } from "../vault-error.ts";

/** The file that is written to. One as large as this is moved away (segments.ts). */
export const LOG_NAME = "audit.jsonl";
export const SEGMENT_BYTES = 16 * 1024 * 1024;

const TAIL_BYTES = 8 * 1024;
const LINE_FEED = 0x0a;
/** More than could ever be torn in a row, but by who writes them for that. */
const MOST_TORN = 100;

/** The end of a file of the log. */
export interface Tail {
  /** The vault's last line, without its line feed. */
  readonly last: Buffer | undefined;
  /** Whether bytes follow the last line feed. */
  readonly torn: boolean;
  /** The size of the file, in bytes. */
  readonly size: number;
}

/** @param path what the descriptor was opened by, for messages. */
export function readTail(fd: number, path: string, vault: VaultId): Tail {
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    throw new VaultError(
      "audit",
      `the audit log is not a plain file: ${path}`,
      "move it away, or name another folder with VAULT_RUN_AUDIT_DIR",
    );
  }
  for (let wanted = TAIL_BYTES; ; wanted *= 2) {
    const length = Math.min(stat.size, wanted);
    const tail = Buffer.alloc(length);
    readSync(fd, tail, 0, length, stat.size - length);
    const last = lastLine(tail, vault, length === stat.size);
    // Without the line feed before it, the line may begin further up.
    if (last === undefined && length < stat.size) continue;
    return { last, torn: length > 0 && tail[length - 1] !== LINE_FEED, size: stat.size };
  }
}

/**
 * Passes over empty lines, which come from a writer that saw a part of another's line and ended it, over lines of other
 * vaults, and over what was glued to half a line: none of these is pushed with this vault's lines, so what links to them would
 * seem to follow on nothing.
 *
 * @param isAll whether the bytes are all of the file, so that a line begins with them.
 */
function lastLine(bytes: Buffer, vault: VaultId, isAll: boolean): Buffer | undefined {
  // So it ends in its one spelling, whose keys are in order.
  const ending = Buffer.from(`"vault":"${vault}"}\n`);
  let before = bytes.length;
  for (let torn = 0; torn < MOST_TORN && before >= ending.length; torn++) {
    const found = bytes.lastIndexOf(ending, before - ending.length);
    if (found === -1) return undefined;
    const start = bytes.lastIndexOf(LINE_FEED, found) + 1;
    if (start === 0 && !isAll) return undefined;
    const line = bytes.subarray(start, found + ending.length - 1);
    if (isJson(line)) return line;
    before = start;
  }
  return undefined;
}

function isJson(line: Buffer): boolean {
  try {
    JSON.parse(line.toString());
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether what was appended stands there as a whole line.
 *
 * @param size the file's, in bytes, before it was appended.
 * @param appended the line with its line feed, and with one before it where the file had a torn end.
 */
export function holdsWhole(fd: number, size: number, appended: Buffer): boolean {
  const end = fstatSync(fd).size;
  // No one else has written since: it stands behind what was seen.
  if (end === size + appended.length) return true;
  const from = Math.max(0, size - 1);
  const since = Buffer.alloc(Math.max(0, end - from));
  const length = readSync(fd, since, 0, since.length, from);
  const at = since.subarray(0, length).indexOf(appended);
  return at !== -1 && (from + at === 0 || appended[0] === LINE_FEED || since[at - 1] === LINE_FEED);
}

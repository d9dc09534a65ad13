import { fstatSync, readSync } from "node:fs";
import { VaultError } from "../vault-error.ts";

/** The file that is written to. One as large as this is moved away (segments.ts). */
export const LOG_NAME = "audit.jsonl";
export const SEGMENT_BYTES = 16 * 1024 * 1024;

const TAIL_BYTES = 8 * 1024;
const LINE_FEED = 0x0a;

/** The end of a file of the log. */
export interface Tail {
  /** The last line that is no torn one, without its line feed; where none is near, the last that is not empty. */
  readonly last: Buffer | undefined;
  /** Whether bytes follow the last line feed. */
  readonly torn: boolean;
  /** The size of the file, in bytes. */
  readonly size: number;
}

/** @param path what the descriptor was opened by, for messages. */
export function readTail(fd: number, path: string): Tail {
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
    const whole = tail.subarray(0, tail.lastIndexOf(LINE_FEED) + 1);
    const last = lastLine(whole, length === stat.size);
    // Without the line feed before it, the line may begin further up.
    if (last === undefined && length < stat.size) continue;
    return { last, torn: whole.length !== length, size: stat.size };
  }
}

/**
 * Passes over empty lines, which come from a writer that saw a part of another's line and ended it, and over those to which
 * another's was glued: they are not pushed, so what links to them would seem to follow on nothing.
 *
 * @param isAll whether the bytes are all of the file, so that a line begins with them.
 */
function lastLine(bytes: Buffer, isAll: boolean): Buffer | undefined {
  let last: Buffer | undefined;
  for (let end = bytes.length - 1, start: number; end > 0; end = start) {
    start = bytes.lastIndexOf(LINE_FEED, end - 1);
    if (start === -1 && !isAll) break;
    const line = bytes.subarray(start + 1, end);
    if (line.length === 0) continue;
    if (isJson(line)) return line;
    last ??= line;
  }
  return last;
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

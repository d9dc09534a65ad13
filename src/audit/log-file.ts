import { fstatSync, readSync } from "node:fs";
import { VaultError } from "../vault-error.ts";

/** The file that is written to. One as large as this is moved away (segments.ts). */
export const LOG_NAME = "audit.jsonl";
export const SEGMENT_BYTES = 16 * 1024 * 1024;

const TAIL_BYTES = 8 * 1024;
const LINE_FEED = 0x0a;

/** The end of a file of the log. */
export interface Tail {
  /** The last whole line, without its line feed. */
  readonly last: Buffer | undefined;
  /** Whether bytes follow it. */
  readonly torn: boolean;
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
    let end = tail.lastIndexOf(LINE_FEED);
    const torn = end !== length - 1;
    // Empty lines come from a writer that saw a part of another's line and ended it: none of them is the last line.
    while (end > 0 && tail[end - 1] === LINE_FEED) end--;
    const start = end <= 0 ? -1 : tail.lastIndexOf(LINE_FEED, end - 1);
    // Without the line feed before it, the line may begin further up.
    if (start === -1 && length < stat.size) continue;
    return { last: end <= 0 ? undefined : tail.subarray(start + 1, end), torn };
  }
}

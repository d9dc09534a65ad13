import { isUtf8 } from "node:buffer";
import type { LogSource } from "./source.ts";

// A log in pieces of whole lines: what is read, verified and remembered at a time. Where a piece ends follows from the bytes
// before it alone, so that a log which has grown has the same pieces as before, and some more.

const BLOCK_BYTES = 128 * 1024;
/** Of a longer line the rest is dropped: no writer makes one. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;

export interface Block {
  /** Whole lines, the last one without its line feed. */
  readonly bytes: Buffer;
  /** Whether more will never stand in it: one at the end of a log grows. */
  readonly isFull: boolean;
}

export async function* blocksOf(log: LogSource): AsyncGenerator<Block> {
  let rest: Buffer = Buffer.alloc(0);
  let isDropping = false;
  for await (const chunk of log.chunks()) {
    let more = chunk;
    if (isDropping) {
      const end = more.indexOf(LINE_FEED);
      if (end === -1) continue;
      isDropping = false;
      more = more.subarray(end);
    }
    rest = rest.length === 0 ? more : Buffer.concat([rest, more]);
    while (rest.length >= BLOCK_BYTES) {
      const end = rest.indexOf(LINE_FEED, BLOCK_BYTES - 1);
      if (end === -1) break;
      yield { bytes: rest.subarray(0, end), isFull: true };
      rest = rest.subarray(end + 1);
    }
    const start = rest.lastIndexOf(LINE_FEED) + 1;
    if (rest.length - start > MAX_LINE_BYTES) {
      rest = Buffer.from(rest.subarray(0, start + BLOCK_BYTES));
      isDropping = true;
    }
  }
  if (rest.length > 0) {
    const isEnded = rest.at(-1) === LINE_FEED;
    yield { bytes: isEnded ? rest.subarray(0, -1) : rest, isFull: false };
  }
}

/** The texts of a block's lines; undefined for one that is not UTF-8. Empty ones are among them. */
export function textsOf(bytes: Buffer): (string | undefined)[] {
  // Only a line feed ends a line: canonical JSON may hold U+2028.
  if (isUtf8(bytes)) return bytes.toString("utf8").split("\n");
  return linesOf(bytes).map((line) => (isUtf8(line) ? line.toString("utf8") : undefined));
}

export function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}

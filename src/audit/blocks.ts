import { isUtf8 } from "node:buffer";
import type { LogSource } from "./source.ts";

// A log in pieces of whole lines: what is read, verified and remembered at a time. Where a piece ends follows from the bytes
// before it in its file alone, so that a log which has grown has the same pieces as before, and some more.

const BLOCK_BYTES = 128 * 1024;
/** Of a longer line the rest is dropped: no writer makes one. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;

export interface Block {
  /** Whole lines, the last one without its line feed. */
  readonly bytes: Buffer;
  /** Which file of the log they stand in, from 0. */
  readonly file: number;
}

export async function* blocksOf(log: LogSource): AsyncGenerator<Block> {
  let file = 0;
  let cutter = new BlockCutter();
  for await (const chunk of log.chunks()) {
    if (chunk.length > 0) {
      for (const bytes of cutter.add(chunk)) yield { bytes, file };
      continue;
    }
    // A torn line at a file's end is no part of the next one's first.
    for (const bytes of cutter.end()) yield { bytes, file };
    cutter = new BlockCutter();
    file++;
  }
  for (const bytes of cutter.end()) yield { bytes, file };
}

class BlockCutter {
  /** What has come since the last block, put together once a line ends: a long one comes in many pieces. */
  #pieces: Buffer[] = [];
  #length = 0;
  /** Where in it the line begins that has not ended. */
  #lineStart = 0;
  #isDropping = false;

  *add(chunk: Buffer): Generator<Buffer> {
    const more = this.#isDropping ? chunk.subarray(endOf(chunk)) : chunk;
    if (more.length === 0) return;
    this.#isDropping = false;
    this.#pieces.push(more);
    this.#length += more.length;
    if (more.includes(LINE_FEED)) {
      let rest = Buffer.concat(this.#pieces);
      while (rest.length >= BLOCK_BYTES) {
        const end = rest.indexOf(LINE_FEED, BLOCK_BYTES - 1);
        if (end === -1) break;
        yield rest.subarray(0, end);
        rest = rest.subarray(end + 1);
      }
      this.#keep(rest);
      this.#lineStart = rest.lastIndexOf(LINE_FEED) + 1;
    }
    if (this.#length - this.#lineStart <= MAX_LINE_BYTES) return;
    this.#keep(Buffer.concat(this.#pieces, this.#lineStart + BLOCK_BYTES));
    this.#isDropping = true;
  }

  *end(): Generator<Buffer> {
    if (this.#length === 0) return;
    const rest = Buffer.concat(this.#pieces);
    yield rest.at(-1) === LINE_FEED ? rest.subarray(0, -1) : rest;
  }

  #keep(rest: Buffer): void {
    this.#pieces = [rest];
    this.#length = rest.length;
  }
}

/** Where a chunk's first line ends; its own end, where that does not. */
function endOf(chunk: Buffer): number {
  const end = chunk.indexOf(LINE_FEED);
  return end === -1 ? chunk.length : end;
}

/** The texts of a block's lines, and the bytes of one that is not UTF-8. Empty ones are among them. */
export function textsOf(bytes: Buffer): (string | Buffer)[] {
  // Only a line feed ends a line: canonical JSON may hold U+2028.
  if (isUtf8(bytes)) return bytes.toString("utf8").split("\n");
  return linesOf(bytes).map((line) => (isUtf8(line) ? line.toString("utf8") : line));
}

/** The texts of a block, which is taken apart only when one of them is asked for. */
export class BlockTexts {
  readonly #bytes: Buffer;
  #texts: readonly (string | Buffer)[] | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#all().length;
  }

  at(place: number): string | Buffer {
    return this.#all()[place] ?? "";
  }

  #all(): readonly (string | Buffer)[] {
    this.#texts ??= textsOf(this.#bytes);
    return this.#texts;
  }
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

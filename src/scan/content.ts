// One content, in windows: whatever its size, no more of it than a window is in memory. A window overlaps the one before
// by more than any key is long, so that none is cut in two. Text is read as one character a byte, so that a place in it is
// a place in the file, whatever is in it; UTF-16, which some shells write, as what it says, and as bytes too: two of them
// at its beginning say that it is UTF-16, and need not be true.

const WINDOW_BYTES = 1024 * 1024;
const OVERLAP_BYTES = 96 * 1024;
const PIECE_BYTES = 256 * 1024;
const SAMPLE_BYTES = 8192;
/** No key is shorter. */
const MIN_RUN_BYTES = 16;
const LINE_FEED = 0x0a;

/** What rules look through. */
export interface Reading {
  readonly text: string;
  /** Turns a place in the text into one in the window. */
  readonly offsetOf: (index: number) => number;
}

export interface Window {
  readonly readings: readonly Reading[];
  /** Of the whole content, by its beginning. */
  readonly encoding: Encoding;
  readonly bytes: Buffer;
  /** Where the window begins in the content. */
  readonly start: number;
  /** Where the next one begins, or where the content ends. */
  readonly next: number;
}

/** Cuts a content into windows as it comes. */
export async function* windowsOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Window> {
  let held: Buffer[] = [];
  let size = 0;
  let start = 0;
  let encoding: Encoding | undefined;
  const make = (bytes: Buffer, length: number): Window => {
    encoding ??= encodingOf(bytes);
    return { readings: readingsOf(bytes, encoding), encoding, bytes, start, next: start + length };
  };
  for await (const piece of piecesOf(chunks)) {
    held.push(piece);
    size += piece.length;
    if (size < WINDOW_BYTES + OVERLAP_BYTES) continue;
    const bytes = Buffer.concat(held);
    // Even, for UTF-16.
    const length = (bytes.length - OVERLAP_BYTES) & ~1;
    yield make(bytes, length);
    start += length;
    held = [bytes.subarray(length)];
    size = bytes.length - length;
  }
  const rest = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
  yield make(rest, rest.length);
}

/** Some contents come whole: a window of 10 MB would be too much for the stack of the rules' expressions. */
async function* piecesOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
}

export type Encoding = "text" | "binary" | Utf16;
export type Utf16 = "utf16le" | "utf16be";

export function isUtf16(encoding: Encoding): encoding is Utf16 {
  return encoding === "utf16le" || encoding === "utf16be";
}

function encodingOf(bytes: Buffer): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf16be";
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const [even, odd] = [0, 1].map(
    (parity) => sample.filter((byte, at) => byte === 0 && at % 2 === parity).length,
  );
  if (even === 0 && odd === 0) return "text";
  // Latin text in UTF-16 without its mark has a zero in every other place.
  const half = sample.length / 2;
  if ((odd ?? 0) > half * 0.7 && even === 0) return "utf16le";
  if ((even ?? 0) > half * 0.7 && odd === 0) return "utf16be";
  return "binary";
}

function readingsOf(bytes: Buffer, encoding: Encoding): Reading[] {
  if (encoding === "binary") return [printableOf(bytes)];
  const own = { text: bytes.toString("latin1"), offsetOf: (index: number) => index };
  if (encoding === "text") return [own];
  return [{ text: utf16Text(bytes, encoding), offsetOf: (index) => index * 2 }, own];
}

function utf16Text(bytes: Buffer, encoding: Utf16): string {
  const units = encoding === "utf16le" ? bytes : Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16();
  return units.toString("utf16le");
}

/** A whole content as the text that it says it is. */
export function textOf(bytes: Buffer): string {
  const encoding = encodingOf(bytes);
  return isUtf16(encoding) ? utf16Text(bytes, encoding) : bytes.toString("utf8");
}

/** What stands in a binary as readable text, each run of it on a line of its own: all that rules have to look through. */
function printableOf(bytes: Buffer): Reading {
  const runs: string[] = [];
  /** Where each run begins, in the text and in the bytes. */
  const starts: { text: number; bytes: number }[] = [];
  let length = 0;
  let from = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if ((byte >= 0x20 && byte <= 0x7e) || byte === LINE_FEED) continue;
    if (at - from >= MIN_RUN_BYTES) {
      starts.push({ text: length, bytes: from });
      runs.push(bytes.toString("latin1", from, at));
      length += at - from + 1;
    }
    from = at + 1;
  }
  const offsetOf = (index: number) => {
    const run = starts.findLast((start) => start.text <= index);
    return run === undefined ? 0 : run.bytes + index - run.text;
  };
  return { text: runs.join("\n"), offsetOf };
}

/** Counts lines as windows pass. */
export class LineCounter {
  /** Of the place where the window begins. */
  #line = 1;
  #lineStart = 0;

  /** Where `offset` of the content is, which the window holds. */
  placeOf(window: Window, offset: number): { line: number; column: number } {
    if (window.encoding === "binary") return { line: 1, column: offset + 1 };
    const { line, lineStart } = this.#lineAt(window, offset);
    if (isUtf16(window.encoding)) return { line, column: Math.floor((offset - lineStart) / 2) + 1 };
    const before = window.bytes.subarray(Math.max(lineStart - window.start, 0), offset - window.start);
    // Bytes that go on with a character are none of their own.
    const column = before.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 1);
    return { line, column };
  }

  /** To be called for each window once its places were asked for. */
  passed(window: Window): void {
    const { line, lineStart } = this.#lineAt(window, window.next);
    this.#line = line;
    this.#lineStart = lineStart;
  }

  #lineAt(window: Window, offset: number): { line: number; lineStart: number } {
    let line = this.#line;
    let lineStart = this.#lineStart;
    const end = offset - window.start;
    for (let at = window.bytes.indexOf(LINE_FEED); at !== -1 && at < end; ) {
      line++;
      lineStart = window.start + at + 1;
      at = window.bytes.indexOf(LINE_FEED, at + 1);
    }
    return { line, lineStart };
  }
}

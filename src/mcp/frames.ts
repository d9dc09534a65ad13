import { Readable } from "node:stream";
import { findExcess } from "../vault/record.ts";

// What a client sends, before the protocol's own parser sees it: one message in each chunk, and only what may be one. The
// parser would take lines together again with every piece that comes, throw for each that is none, and build what is
// nested or of many parts, whatever its size.

const LF = 0x0a;
const BEGIN = 0x7b;
const SPACES = new Set([0x09, 0x0d, 0x20]);
/** More than the longest arguments of any tool, were each of their characters written as an escape. */
const MAX_FRAME_BYTES = 10 * 1024 * 1024;
/** What is shorter costs nothing, whatever is in it. */
const SHORT_BYTES = 64 * 1024;
/** Far more than any arguments have. */
const MAX_DEPTH = 1000;
const MAX_VALUES = 200_000;

/**
 * The messages in a stream. One that is too long, of too many values or nested too deeply ends it: whoever sent it would wait for an answer
 * for ever.
 */
export function framesOf(from: Readable): Readable {
  return Readable.from(frames(from), { objectMode: false });
}

async function* frames(from: Readable): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of from as AsyncIterable<Buffer>) {
    let at = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, at)) {
      const frame = Buffer.concat([...pieces, chunk.subarray(at, end + 1)]);
      pieces = [];
      length = 0;
      if (mayBeMessage(frame)) {
        if (isTooMuch(frame)) return;
        yield frame;
      }
      at = end + 1;
      while (chunk[at] === LF) at++;
    }
    if (at === chunk.length) continue;
    pieces.push(chunk.subarray(at));
    length += chunk.length - at;
    if (length > MAX_FRAME_BYTES) return;
  }
}

function mayBeMessage(frame: Buffer): boolean {
  let at = 0;
  while (SPACES.has(frame[at] as number)) at++;
  return frame[at] === BEGIN;
}

function isTooMuch(frame: Buffer): boolean {
  return frame.length > SHORT_BYTES && findExcess(frame, MAX_DEPTH, MAX_VALUES) !== undefined;
}

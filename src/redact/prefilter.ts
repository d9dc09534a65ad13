import type { Texts } from "./automaton-tables.ts";
import { CR, ESC, LF } from "./bytes.ts";

// Finds the next place of a chunk that the automaton has to look at, at a small part of its work, by looking at one
// group of bytes where many needles could begin.
//
// A block is as long as the shortest needle, or MAX_BLOCK_BYTES. The groups of bytes in the first block of every needle
// are known. Where a needle begins at `start`, the text from there on is its first block; so if the last group of the
// block at `start` is unknown, none begins from `start` up to that group, and the next block begins behind its first byte.
//
// A reading leaves out CR, LF, SO, SI and escape sequences, so what stands in the text may be more than the needle.
//  - A CR or LF, SO or SI, that is not in a group does not matter to it: the group is the needle's all the same.
//  - A group with SO or SI in it is not decided: the automaton looks.
//  - Of one that is, two other groups tell whether it matters. A needle that begins before a line end and goes on
//    behind it has the group before the line end, or the one behind it, whole and among the known.
//  - Escape sequences hold text that is not the needle's, so the search ends where one begins, and at the chunk's end: at
//    the last bytes there with which a needle may have begun.
// It only ever skips what cannot matter: where it stops, the automaton decides.

const MAX_BLOCK_BYTES = 24;
const MIN_BLOCK_BYTES = 6;
const MIN_BITS = 15;
const MAX_BITS = 22;
// The more bits for each group, the fewer groups are taken for another.
const BITS_PER_GROUP = 8;
const MULTIPLIER = 0x9e37_79b1;
// For all bytes of a word at once: those below 0x10, CR, LF, SO and SI among them, set their highest bit.
const LOWEST_OTHERS = 0x1010_1010;
const HIGHEST_BITS = 0x8080_8080;

export class Prefilter {
  readonly #block: number;
  /** Bytes in a group: three, or four where blocks are long enough for two of them and a line end between. */
  readonly #group: number;
  /** Groups are read as words of four bytes. This keeps the group's own. */
  readonly #mask: number;
  readonly #shift: number;
  readonly #known: Int32Array;

  private constructor({ bytes, starts, shortest }: Texts) {
    const count = starts.length - 1;
    this.#block = Math.min(shortest, MAX_BLOCK_BYTES);
    this.#group = this.#block > 8 ? 4 : 3;
    this.#mask = this.#group === 4 ? -1 : 0x00ff_ffff;
    const groups = this.#block - this.#group + 1;
    const wanted = Math.ceil(Math.log2(count * groups * BITS_PER_GROUP));
    const bits = Math.min(Math.max(wanted, MIN_BITS), MAX_BITS);
    this.#shift = 32 - bits;
    this.#known = new Int32Array(1 << (bits - 5));
    for (let index = 0; index < count; index++) {
      const start = starts[index] as number;
      for (let end = start + this.#group; end <= start + this.#block; end++) {
        const bit = this.#bitOf(wordBefore(bytes, end));
        (this.#known[bit >>> 5] as number) |= 1 << bit;
      }
    }
  }

  /** Undefined where a needle is too short for it to pay. */
  static of(texts: Texts): Prefilter | undefined {
    return texts.starts.length > 1 && texts.shortest >= MIN_BLOCK_BYTES ? new Prefilter(texts) : undefined;
  }

  /**
   * Up to where no needle begins, given that none that began before `from` is still open.
   *
   * @param stop where the next escape sequence begins at or behind `from`, or the chunk's length.
   */
  skip(chunk: Uint8Array, from: number, stop: number): number {
    const block = this.#block;
    const group = this.#group;
    const step = block - group + 1;
    let start = from;
    for (;;) {
      const end = this.#nextUndecided(chunk, start + block, stop, step);
      start = end - block;
      if (end > stop) {
        if (stop - start >= group && this.#isUndecided(chunk, stop)) return this.#firstOf(chunk, start, stop);
        return Math.max(start, stop - group + 1);
      }
      const lineEnd = lineEndIn(chunk, end - group, end);
      if (lineEnd === end) return this.#firstOf(chunk, start, end);
      if (lineEnd - start >= group && this.#isUndecided(chunk, lineEnd))
        return this.#firstOf(chunk, start, lineEnd);
      const behind = this.#behind(chunk, lineEnd);
      if (behind === 0 || behind + group > stop || this.#isUndecided(chunk, behind + group))
        return Math.max(start, lineEnd - group + 1);
      start = behind;
    }
  }

  /** The end of the first group that is known or has a line end in it, of those that end at `end` and each `step` on. */
  #nextUndecided(chunk: Uint8Array, end: number, stop: number, step: number): number {
    const mask = this.#mask;
    const shift = this.#shift;
    const known = this.#known;
    let at = end;
    for (; at <= stop; at += step) {
      const word = wordBefore(chunk, at);
      if (hasLineEnd(word | ~mask)) break;
      const bit = Math.imul(word & mask, MULTIPLIER) >>> shift;
      if (((known[bit >>> 5] as number) & (1 << bit)) !== 0) break;
    }
    return at;
  }

  #isUndecided(chunk: Uint8Array, end: number): boolean {
    const word = wordBefore(chunk, end);
    if (hasLineEnd(word | ~this.#mask)) return true;
    const bit = this.#bitOf(word);
    return ((this.#known[bit >>> 5] as number) & (1 << bit)) !== 0;
  }

  /**
   * Where a needle can begin that holds the undecided group before `end`: with it, if the group that ends before is
   * decided; otherwise, to look no further, anywhere from `start` on.
   */
  #firstOf(chunk: Uint8Array, start: number, end: number): number {
    return this.#isUndecided(chunk, end - 1) ? start : Math.max(start, end - this.#group);
  }

  /** Behind the line end at `lineEnd`. 0 where it is none, or a block has no room for it between two groups. */
  #behind(chunk: Uint8Array, lineEnd: number): number {
    if (chunk[lineEnd] === LF) return lineEnd + 1;
    return chunk[lineEnd + 1] === LF && this.#block > 2 * this.#group ? lineEnd + 2 : 0;
  }

  #bitOf(word: number): number {
    return Math.imul(word & this.#mask, MULTIPLIER) >>> this.#shift;
  }
}

/** The four bytes before `end`. There may be three, and the mask takes away what stands for the fourth. */
function wordBefore(bytes: Uint8Array, end: number): number {
  return (
    ((bytes[end - 4] as number) << 24) |
    ((bytes[end - 3] as number) << 16) |
    ((bytes[end - 2] as number) << 8) |
    (bytes[end - 1] as number)
  );
}

/** Whether a byte of the word may be a CR or LF, or an SO or SI. */
function hasLineEnd(word: number): boolean {
  return ((word - LOWEST_OTHERS) & ~word & HIGHEST_BITS) !== 0;
}

/** The place of the first CR or LF, `end` where there is none. */
function lineEndIn(chunk: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (chunk[at] === LF || chunk[at] === CR) return at;
  return end;
}

/** Tells where the escape sequences of a chunk begin, each looked for once. */
export class EscapeSequences {
  #chunk: Buffer = Buffer.alloc(0);
  #next = -1;

  /** Goes to another chunk. */
  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#next = -1;
  }

  /** The place of the first one at or behind `from`, the chunk's length where there is none. */
  next(from: number): number {
    if (this.#next < from) {
      const place = this.#chunk.indexOf(ESC, from);
      this.#next = place === -1 ? this.#chunk.length : place;
    }
    return this.#next;
  }
}

// Finds the next place of a chunk that the automaton has to look at, at a quarter of its work. The first six bytes of
// every needle are known by the three-byte groups in them. If the group at start + 3 is none of those, no needle begins
// at start to start + 3. What interrupts a match without ending it is a control character, so all of these stop the
// search. It only ever skips what cannot matter: where it stops, the automaton decides.

export const MIN_FILTERED_BYTES = 6;

const GROUPS = MIN_FILTERED_BYTES - 2;
const FIRST_PRINTABLE = 0x20;
const BITS = 18;

export class Prefilter {
  readonly #known = new Int32Array(1 << (BITS - 5));

  constructor(needles: readonly Uint8Array[]) {
    for (const bytes of needles) {
      for (let i = 0; i < GROUPS; i++) {
        const bit = hash(bytes[i] as number, bytes[i + 1] as number, bytes[i + 2] as number);
        (this.#known[bit >>> 5] as number) |= 1 << bit;
      }
    }
  }

  /** Up to where no needle begins, given that none that began before `start` is still open. */
  skip(chunk: Uint8Array, from: number): number {
    const known = this.#known;
    const last = chunk.length - MIN_FILTERED_BYTES;
    let start = from;
    if (start > last || (chunk[start + 1] as number) < FIRST_PRINTABLE) return start;
    for (; start <= last; start += GROUPS) {
      const a = chunk[start + 3] as number;
      const b = chunk[start + 4] as number;
      const c = chunk[start + 5] as number;
      const before = chunk[start + 2] as number;
      // Negative if any of the four is a control character.
      if (
        ((before - FIRST_PRINTABLE) | (a - FIRST_PRINTABLE) | (b - FIRST_PRINTABLE) | (c - FIRST_PRINTABLE)) <
        0
      )
        break;
      const bit = hash(a, b, c);
      if (((known[bit >>> 5] as number) & (1 << bit)) !== 0) break;
    }
    return start;
  }
}

function hash(a: number, b: number, c: number): number {
  return Math.imul((a << 16) | (b << 8) | c, 0x9e3779b1) >>> (32 - BITS);
}

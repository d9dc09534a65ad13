import { DIGEST_WORDS } from "./block-table.ts";

// Which lines were seen, by their digests: 24 bytes of each, and 13 besides, so that a million lines are 37 MB. A line is
// taken for verified where one of its digest was: two lines of one 24 bytes take 2^96 tries to find.

const DIGEST_CHARACTERS = 64;
const WORD_CHARACTERS = 8;
/** By character code: the digit that it is, or 255. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code));
  return digit === -1 ? 255 : digit;
});
const FIRST_CAPACITY = 1024;

/** What is known of a line. */
export const Mark = {
  /** Stands in this machine's log. */
  local: 1,
  /** Stands in some log. Without it, a line is known from another one's `prev` alone. */
  seen: 2,
  /** Was looked at, or is about to be. */
  checked: 4,
  /** Its signature holds, by the key that it names. */
  held: 8,
  /** Was handed on. */
  told: 16,
} as const;

export class LineIndex {
  #count = 0;
  /** By number: six words of the digest, what is known, and the pushed log in which it stands, its place + 1, or 0. */
  #digests = new Uint32Array(FIRST_CAPACITY * DIGEST_WORDS);
  #marks = new Uint8Array(FIRST_CAPACITY);
  #logs = new Uint32Array(FIRST_CAPACITY);
  /** Open addressing: a number + 1, or 0. Never more than half full. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);
  readonly #words = new Uint32Array(DIGEST_WORDS);

  get size(): number {
    return this.#count;
  }

  /** The number of the line with this digest (64 hex digits), new or known; undefined for what is no digest. */
  numberOf(digest: string): number | undefined {
    return this.#parse(digest) ? this.#numberOfWords() : undefined;
  }

  /** The same, of the digest that begins with the six words at this place. */
  numberAt(digests: Uint32Array, place: number): number {
    for (let i = 0; i < DIGEST_WORDS; i++) this.#words[i] = digests[place * DIGEST_WORDS + i] ?? 0;
    return this.#numberOfWords();
  }

  /** The beginning of a line's digest. */
  wordsOf(number: number): Uint32Array {
    return this.#digests.slice(number * DIGEST_WORDS, (number + 1) * DIGEST_WORDS);
  }

  #numberOfWords(): number {
    const words = this.#words;
    const mask = this.#slots.length - 1;
    let slot = (words[0] ?? 0) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] ?? 0) - 1;
      if (number === -1) break;
      if (this.#isAt(number)) return number;
    }
    if (this.#count === this.#marks.length) {
      this.#grow();
      return this.#numberOfWords();
    }
    this.#digests.set(words, this.#count * DIGEST_WORDS);
    this.#slots[slot] = this.#count + 1;
    return this.#count++;
  }

  has(number: number, mark: number): boolean {
    return ((this.#marks[number] ?? 0) & mark) !== 0;
  }

  mark(number: number, mark: number): void {
    this.#marks[number] = (this.#marks[number] ?? 0) | mark;
  }

  /** The pushed log in which it stands, by its place among all logs. */
  logOf(number: number): number | undefined {
    const log = this.#logs[number] ?? 0;
    return log === 0 ? undefined : log - 1;
  }

  setLog(number: number, log: number): void {
    this.#logs[number] = log + 1;
  }

  /** Whether it is a digest, whose beginning is in `#words` then. */
  #parse(digest: string): boolean {
    if (digest.length !== DIGEST_CHARACTERS) return false;
    for (let i = 0; i < DIGEST_WORDS; i++) {
      let word = 0;
      for (let at = i * WORD_CHARACTERS; at < (i + 1) * WORD_CHARACTERS; at++) {
        const digit = DIGITS[digest.charCodeAt(at)] ?? 255;
        if (digit === 255) return false;
        word = (word << 4) | digit;
      }
      this.#words[i] = word;
    }
    return true;
  }

  #isAt(number: number): boolean {
    const at = number * DIGEST_WORDS;
    for (let i = 0; i < DIGEST_WORDS; i++) if (this.#digests[at + i] !== this.#words[i]) return false;
    return true;
  }

  #grow(): void {
    const capacity = this.#marks.length * 2;
    this.#digests = copied(this.#digests, new Uint32Array(capacity * DIGEST_WORDS));
    this.#marks = copied(this.#marks, new Uint8Array(capacity));
    this.#logs = copied(this.#logs, new Uint32Array(capacity));
    this.#slots = new Uint32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#count; number++) {
      let slot = (this.#digests[number * DIGEST_WORDS] ?? 0) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}

function copied<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

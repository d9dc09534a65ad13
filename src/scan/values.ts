import { ESC } from "../redact/bytes.ts";
import { Finder, type Sighting } from "../redact/finder.ts";
import type { SecretValue } from "../redact/redactor.ts";
import { entropy } from "./formats/rule.ts";

// The vault's own values, in every spelling that the redaction engine knows. A mask too many costs nothing, a refused
// commit does: so a value that is a word counts where it stands alone, not inside a longer word; and of a long value's
// lines and JSON leaves those count that look like no name, address or sentence, since many of them are public.

const WORD_BYTES = 16;
const MIN_PART_BYTES = 16;
const MIN_PART_BITS = 3.2;
const IN_WORD = /[A-Za-z0-9_]$/;
// What ends with a letter or a digit and is no part of a word: escapes in strings and addresses, and a terminal's colours and
// character sets, as they are and as strings have them.
const ESCAPE = /(?:\\(?:[abefnrtv]|[0-7]{1,3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})|%[\da-fA-F]{2})$/;
const SEQUENCE = new RegExp(
  String.raw`(?:${String.fromCharCode(ESC)}|\\(?:e|033|x1b|u001b))(?:\[[\d;?]*|[(-+])[A-Za-z0-9]$`,
);
/** More than such a one takes. */
const MAX_BEFORE_BYTES = 64;

export class ValueFinder {
  readonly #finder: Finder;

  /** @param values named as a person knows them, `stripe/API_KEY`. */
  constructor(values: readonly SecretValue[]) {
    this.#finder = new Finder(values);
  }

  /** Names of the values that are not looked for. */
  get tooShort(): readonly string[] {
    return this.#finder.tooShort;
  }

  /** Looks through one content: chunks in, what they end with out. Places are of the whole content. */
  search(): (chunk: Buffer) => Sighting[] {
    const search = this.#finder.search();
    let read = 0;
    let before = "";
    return (chunk) => {
      const found = search.read(chunk);
      const part = { chunk, start: read, before };
      read += chunk.length;
      before = lastOf(before, chunk, chunk.length);
      return found.filter((sighting) => isTelling(sighting, part));
    };
  }
}

/** A chunk of a content, with what stands before it. */
interface Part {
  readonly chunk: Buffer;
  readonly start: number;
  readonly before: string;
}

/** What begins in a chunk before this one is judged by its encoding alone. */
function isTelling({ encoding, start, end }: Sighting, part: Part): boolean {
  const [from, to] = [start - part.start, end - part.start];
  if (from < 0) return true;
  const text = part.chunk.toString("latin1", from, to);
  if (encoding === "leaf" || encoding === "line") return isTellingPart(text);
  if (encoding !== "raw" || text.length > WORD_BYTES || !/^\w+$/.test(text)) return true;
  const before = lastOf(part.before, part.chunk, from);
  const isInside = IN_WORD.test(before) && !ESCAPE.test(before) && !SEQUENCE.test(before);
  return !isInside && !IN_WORD.test(part.chunk.toString("latin1", to, to + 1));
}

/** The last that stands before a place in a chunk. */
function lastOf(before: string, chunk: Buffer, end: number): string {
  const own = chunk.toString("latin1", Math.max(end - MAX_BEFORE_BYTES, 0), end);
  return `${before}${own}`.slice(-MAX_BEFORE_BYTES);
}

function isTellingPart(text: string): boolean {
  if (text.length < MIN_PART_BYTES || /\s|:\/\/|@/.test(text)) return false;
  return /\d/.test(text) && /[A-Za-z]/.test(text) && entropy(text) >= MIN_PART_BITS;
}

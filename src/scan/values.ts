import { Finder, type Sighting } from "../redact/finder.ts";
import type { SecretValue } from "../redact/redactor.ts";
import { entropy } from "./formats/rule.ts";

// The vault's own values, in every spelling that the redaction engine knows. A mask too many costs nothing, a refused
// commit does: so a value that is a word counts where it stands alone, not inside a longer word; and of a long value's
// lines and JSON leaves those count that look like no name, address or sentence, since many of them are public.

const WORD_BYTES = 16;
const MIN_PART_BYTES = 16;
const MIN_PART_BITS = 3.2;
const IN_WORD = /[A-Za-z0-9_]/;

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
    return (chunk) => {
      const found = search.read(chunk);
      const start = read;
      read += chunk.length;
      return found.filter((sighting) => isTelling(sighting, chunk, start));
    };
  }
}

/** What begins in a chunk before this one is judged by its encoding alone. */
function isTelling({ encoding, start, end }: Sighting, chunk: Buffer, chunkStart: number): boolean {
  if (start < chunkStart) return true;
  const text = chunk.toString("latin1", start - chunkStart, end - chunkStart);
  if (encoding === "leaf" || encoding === "line") return isTellingPart(text);
  if (encoding !== "raw" || text.length > WORD_BYTES || !/^\w+$/.test(text)) return true;
  const before = start > chunkStart ? String.fromCharCode(chunk[start - chunkStart - 1] ?? 0) : "";
  const after = end - chunkStart < chunk.length ? String.fromCharCode(chunk[end - chunkStart] ?? 0) : "";
  return !IN_WORD.test(before) && !IN_WORD.test(after);
}

function isTellingPart(text: string): boolean {
  if (text.length < MIN_PART_BYTES || /\s|:\/\/|@/.test(text)) return false;
  return /\d/.test(text) && /[A-Za-z]/.test(text) && entropy(text) >= MIN_PART_BITS;
}

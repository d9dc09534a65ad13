import type { Sighting } from "../redact/finder.ts";
import { type Encoding, isUtf16, type Utf16 } from "./content.ts";
import type { ValueFinder } from "./values.ts";

/** Looks for the vault's values in one content: in its bytes, and in what it says as UTF-16. */
export class ValueSearch {
  readonly #finder: ValueFinder;
  readonly #search: ReturnType<ValueFinder["search"]>;
  #utf16: Utf16Search | undefined;

  constructor(finder: ValueFinder) {
    this.#finder = finder;
    this.#search = finder.search();
  }

  /** Chunks in, what they end with out. Places are of the whole content. */
  read(chunk: Buffer, encoding: Encoding): Sighting[] {
    const found = this.#search(chunk);
    if (!isUtf16(encoding)) return found;
    this.#utf16 ??= new Utf16Search(this.#finder, encoding);
    return [...found, ...this.#utf16.read(chunk)];
  }
}

/** By its text in UTF-8, which values are. A unit of UTF-16 is two bytes of the content, and one place in a string. */
class Utf16Search {
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #search: ReturnType<ValueFinder["search"]>;
  /** The text of the last chunk, in which what this one ends may begin; where that is in the text, and in units. */
  #before: Buffer = Buffer.alloc(0);
  #beforeUnits = 0;
  #start = 0;
  #startUnits = 0;

  constructor(finder: ValueFinder, encoding: Utf16) {
    this.#decoder = new TextDecoder(encoding === "utf16le" ? "utf-16le" : "utf-16be", { ignoreBOM: true });
    this.#search = finder.search();
  }

  read(chunk: Buffer): Sighting[] {
    const text = this.#decoder.decode(chunk, { stream: true });
    const bytes = Buffer.from(text);
    const found = this.#search(bytes);
    const sightings = found.length === 0 ? [] : this.#placed(found, Buffer.concat([this.#before, bytes]));
    this.#start += this.#before.length;
    this.#startUnits += this.#beforeUnits;
    this.#before = bytes;
    this.#beforeUnits = text.length;
    return sightings;
  }

  /** @param held the last chunk's text and this one's. What began before is told where these begin. */
  #placed(found: readonly Sighting[], held: Buffer): Sighting[] {
    const unitsIn = (from: number, to: number) => held.toString("utf8", from, to).length;
    let at = 0;
    let units = this.#startUnits;
    return found
      .toSorted((a, b) => a.start - b.start)
      .map((sighting) => {
        const from = Math.max(sighting.start - this.#start, 0);
        units += unitsIn(at, from);
        at = from;
        const start = 2 * units;
        return { ...sighting, start, end: start + 2 * unitsIn(from, sighting.end - this.#start) };
      });
  }
}

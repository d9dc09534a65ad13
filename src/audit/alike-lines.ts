import type { LineShape, LineView } from "./finding.ts";

// Lines of the same shape count together: what remembered blocks hold are a few shapes, many times. To count them costs no
// more than an addition; what they say is looked at once for each day.

const DAY_MS = 86_400_000;
/** Lines that are read from the log itself have a shape each. */
const MOST = 10_000;

/** Lines of one day, in UTC, that have the same shape. */
export interface Alike {
  readonly shape: LineShape;
  readonly count: number;
  /** When the earliest and the latest were written, in milliseconds. */
  readonly first: number;
  readonly last: number;
}

export class AlikeLines {
  readonly #tell: (alike: Alike) => void;
  #day = Number.NaN;
  #alike = new Map<LineShape, { -readonly [K in keyof Alike]: Alike[K] }>();

  constructor(tell: (alike: Alike) => void) {
    this.#tell = tell;
  }

  add({ shape, at }: LineView): void {
    const day = Math.floor(at / DAY_MS);
    if (day !== this.#day || this.#alike.size >= MOST) this.end();
    this.#day = day;
    const known = this.#alike.get(shape);
    if (known === undefined) {
      this.#alike.set(shape, { shape, count: 1, first: at, last: at });
      return;
    }
    known.count++;
    if (at < known.first) known.first = at;
    if (at > known.last) known.last = at;
  }

  /** Tells what was added since. */
  end(): void {
    for (const alike of this.#alike.values()) this.#tell(alike);
    this.#alike.clear();
  }
}

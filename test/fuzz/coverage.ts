import { Session } from "node:inspector";

// Which parts of src/ ran, as V8 counts them: what jazzer.js knows by instrumenting, without it. V8 joins neighbouring blocks that ran
// equally often, so ranges are others in each sample: what is compared is each character of each function.

const ROOM = new URL("../../src/", import.meta.url).href;
const MOST = 8;

export class Coverage {
  readonly #session = new Session();
  /** Of each function: how often each of its characters ran in one input, at most, by powers of two; 0 for never. */
  readonly #seen = new Map<string, Uint8Array>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many characters ran. */
  get size(): number {
    return [...this.#seen.values()].reduce(
      (sum, levels) => sum + levels.filter((level) => level > 0).length,
      0,
    );
  }

  /** Whether something has run since the last call that ran in no input that was learnt from. */
  hasNews(): boolean {
    return this.#taken().some(([name, levels]) => {
      const seen = this.#seen.get(name);
      return levels.some((level, at) => level > 0 && (seen?.[at] ?? 0) === 0);
    });
  }

  /** Remembers what has run since the last call, which was one input. Whether any of it was new, or never ran so often. */
  learn(): boolean {
    let hasNews = false;
    for (const [name, levels] of this.#taken()) {
      const seen = this.#seen.get(name) ?? new Uint8Array(levels.length);
      this.#seen.set(name, seen);
      for (const [at, level] of levels.entries()) {
        if (level <= (seen[at] ?? 0)) continue;
        hasNews = true;
        seen[at] = level;
      }
    }
    return hasNews;
  }

  close(): void {
    this.#session.disconnect();
  }

  #taken(): [name: string, levels: Uint8Array][] {
    const found: [string, Uint8Array][] = [];
    // The session answers before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error !== null) throw error;
      for (const { url, scriptId, functions } of taken.result)
        if (url.startsWith(ROOM))
          for (const { ranges } of functions) {
            const [{ startOffset: start = 0, endOffset: end = 0 } = {}] = ranges;
            const levels = new Uint8Array(end - start);
            // The outer ones come first.
            for (const { startOffset, endOffset, count } of ranges)
              levels.fill(Math.min(MOST, 32 - Math.clz32(count)), startOffset - start, endOffset - start);
            found.push([`${scriptId}:${start}:${end}`, levels]);
          }
    });
    return found;
  }
}

import { Session } from "node:inspector";

// Which blocks of src/ ran, as V8 counts them: what jazzer.js knows by instrumenting, without it.

const ROOM = new URL("../../src/", import.meta.url).href;

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Whether anything has run since the last call that never had, or never so often (by powers of two). Remembers it where told. */
  hasNews(remember: boolean): boolean {
    let hasNews = false;
    // The session answers before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error !== null) throw error;
      for (const { url, scriptId, functions } of taken.result) {
        if (!url.startsWith(ROOM)) continue;
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges) {
            const block = `${scriptId}:${startOffset}:${endOffset}:${Math.min(8, 32 - Math.clz32(count))}`;
            if (count === 0 || this.#seen.has(block)) continue;
            hasNews = true;
            if (remember) this.#seen.add(block);
          }
      }
    });
    return hasNews;
  }

  close(): void {
    this.#session.disconnect();
  }
}

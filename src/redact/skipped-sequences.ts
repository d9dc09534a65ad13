import type { Range } from "./unions.ts";

// Where the escape sequences are that the readings skip, until the match around them is found.

const MIN_TRIMMED = 1024;

export class SkippedSequences {
  #ranges: Range[] = [];
  #start = 0;
  #trimAt = MIN_TRIMMED;

  begin(position: number): void {
    this.#start = position;
  }

  /** No match can start before `partialFrom` any more. */
  end(position: number, partialFrom: number): void {
    this.#ranges.push({ start: this.#start, end: position });
    if (this.#ranges.length < this.#trimAt) return;
    this.#ranges = this.#ranges.filter(({ start }) => start >= partialFrom);
    this.#trimAt = Math.max(MIN_TRIMMED, this.#ranges.length * 2);
  }

  /** Those inside a match. Each is returned once: if a later match covers it too, the two are one union. */
  take(start: number, end: number): Range[] {
    const taken: Range[] = [];
    const trailing: Range[] = [];
    for (
      let last = this.#ranges.at(-1);
      last !== undefined && last.start >= start;
      last = this.#ranges.at(-1)
    ) {
      this.#ranges.pop();
      if (last.end <= end) taken.push(last);
      else trailing.push(last);
    }
    for (const range of trailing.reverse()) this.#ranges.push(range);
    return taken;
  }

  clear(): void {
    if (this.#ranges.length > 0) this.#ranges = [];
  }
}

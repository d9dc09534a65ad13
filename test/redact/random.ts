/** A seeded generator (mulberry32), so that a failure can be repeated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  pick<T>(choices: ArrayLike<T>): T {
    return choices[this.below(choices.length)]!;
  }

  text(tokens: ArrayLike<string>, length: number): string {
    let text = "";
    for (let i = 0; i < length; i++) text += this.pick(tokens);
    return text;
  }

  /** The text cut at random places, often close together. */
  chunks(text: string): Uint8Array[] {
    const bytes = Buffer.from(text, "latin1");
    const longest = 1 + this.below(this.pick([3, 20, 200]));
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = this.below(longest + 1);
      chunks.push(Uint8Array.from(bytes.subarray(at, at + length)));
      at += length;
    }
    return chunks;
  }
}

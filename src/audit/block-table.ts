// What is remembered of a verified block: of each line when it was written, what it says (a number of VerifiedBlocks), its
// digest, and which line it was written behind. In columns, 40 bytes a line, and 24 for each line elsewhere that one names.

/** In place of the number of what a line says: it is empty; it does not hold; it holds, and says what has no number. */
const EMPTY = 0xffffffff;
const UNHELD = 0xfffffffe;
const UNNUMBERED = 0xfffffffd;
/** Words of a digest. */
export const DIGEST_WORDS = 6;
const WORD_BYTES = 4;
const HEAD_WORDS = 2;
/** Of each line: two words of time, one of what it says, one of what it was written behind. */
const LINE_WORDS = 4;

export interface TableLine {
  /** In milliseconds. */
  readonly at: number;
  /** Undefined where what it says has no number. */
  readonly shape: number | undefined;
  readonly digest: Uint32Array;
  readonly prev: Uint32Array | undefined;
}

export class BlockTable {
  readonly lines: number;
  readonly digests: Uint32Array;
  readonly #times: Float64Array;
  readonly #shapes: Uint32Array;
  /** Each line's place among the digests + 1 of the one it was written behind, or 0. */
  readonly #prevs: Uint32Array;
  readonly #words: Uint32Array;

  private constructor(words: Uint32Array) {
    const lines = words[0] ?? 0;
    const { buffer } = words;
    const at = (word: number) => word * WORD_BYTES;
    this.lines = lines;
    this.#words = words;
    this.#times = new Float64Array(buffer, at(HEAD_WORDS), lines);
    this.#shapes = new Uint32Array(buffer, at(HEAD_WORDS + 2 * lines), lines);
    this.#prevs = new Uint32Array(buffer, at(HEAD_WORDS + 3 * lines), lines);
    this.digests = new Uint32Array(buffer, at(HEAD_WORDS + LINE_WORDS * lines));
  }

  /** Undefined for what is none. */
  static read(bytes: Buffer): BlockTable | undefined {
    const words = new Uint32Array(Math.floor(bytes.length / WORD_BYTES));
    bytes.copy(Buffer.from(words.buffer));
    const lines = words[0] ?? 0;
    const digests = (words.length - HEAD_WORDS - LINE_WORDS * lines) / DIGEST_WORDS;
    if (!Number.isInteger(digests) || digests < lines) return undefined;
    const table = new BlockTable(words);
    return table.#prevs.every((prev) => prev <= digests) ? table : undefined;
  }

  /** @param lines in their order: what is known of one, `undefined` where it does not hold, `null` where it is empty. */
  static of(lines: readonly (TableLine | undefined | null)[]): BlockTable {
    const own = new Map(lines.flatMap((line, place) => (line ? [[line.digest.join(), place]] : [])));
    const digests = lines.map((line) => line?.digest);
    const prevs = lines.map((line) => {
      if (!line?.prev) return 0;
      const id = line.prev.join();
      const place = own.get(id) ?? digests.push(line.prev) - 1;
      own.set(id, place);
      return place + 1;
    });
    const words = new Uint32Array(HEAD_WORDS + LINE_WORDS * lines.length + DIGEST_WORDS * digests.length);
    words[0] = lines.length;
    const table = new BlockTable(words);
    table.#times.set(lines.map((line) => line?.at ?? 0));
    table.#shapes.set(lines.map(shapeCode));
    table.#prevs.set(prevs);
    for (const [place, digest] of digests.entries())
      if (digest !== undefined) table.digests.set(digest, place * DIGEST_WORDS);
    return table;
  }

  isEmpty(line: number): boolean {
    return this.#shapes[line] === EMPTY;
  }

  isHeld(line: number): boolean {
    return (this.#shapes[line] ?? UNHELD) < UNHELD;
  }

  get unheld(): number {
    return this.#shapes.reduce((sum, shape) => (shape === UNHELD ? sum + 1 : sum), 0);
  }

  /** The number of what a line says that holds. */
  shapeOf(line: number): number | undefined {
    const shape = this.#shapes[line];
    return shape === UNNUMBERED ? undefined : shape;
  }

  timeOf(line: number): number {
    return this.#times[line] ?? 0;
  }

  /** The place among the digests of the line that this one was written behind; undefined where it is the first. */
  prevOf(line: number): number | undefined {
    const prev = this.#prevs[line] ?? 0;
    return prev === 0 ? undefined : prev - 1;
  }

  usedShapes(): Uint32Array {
    return this.#shapes.filter((shape) => shape < UNNUMBERED);
  }

  bytes(): Buffer {
    return Buffer.from(this.#words.buffer);
  }
}

function shapeCode(line: TableLine | undefined | null): number {
  if (line === null) return EMPTY;
  return line === undefined ? UNHELD : (line.shape ?? UNNUMBERED);
}

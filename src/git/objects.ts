import { VaultError } from "../vault-error.ts";
import { startGit } from "./stream.ts";

// The contents of any number of objects from one `git cat-file --batch`, one after the other, in pieces as git gives them:
// neither their number nor their size matters to memory. Names go in ahead of what is read, so that git never waits.

const LINE_FEED = 0x0a;
/** Of a line of git's own: an id and two words. */
const MAX_LINE_BYTES = 64 * 1024;
/** Of names, so few that git always takes them: nothing waits for a full pipe. */
const AHEAD = 256;

/** An item with the content of its blob, which is to be read before the next item is asked for. */
export interface WithContent<T> {
  readonly item: T;
  readonly size: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** @param items with the ids of their blobs, or of commits or tags. One that is not there is an error: nothing may go unseen. */
export async function* readContents<T extends { readonly blob: string }>(
  folder: string,
  items: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<WithContent<T>> {
  const { child, ended } = startGit(folder, ["cat-file", "--batch"]);
  const answers = new Answers(child.stdout as AsyncIterable<Buffer>);
  const asked: T[] = [];
  try {
    for await (const item of items) {
      child.stdin.write(`${item.blob}\n`);
      asked.push(item);
      if (asked.length < AHEAD) continue;
      yield* answers.next(asked.shift() as T);
    }
    child.stdin.end();
    for (const item of asked) yield* answers.next(item);
  } finally {
    // What was left unread would keep it from ending.
    child.stdout.destroy();
    child.kill();
    await ended;
  }
}

/** What `git cat-file --batch` says, one object after the other. */
export class Answers {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async *next<T extends { readonly blob: string }>(item: T): AsyncGenerator<WithContent<T>> {
    const size = Number(/^\S+ (?:blob|commit|tag) (\d+)$/.exec(await this.#line())?.[1] ?? Number.NaN);
    if (Number.isNaN(size)) throw notThere(item.blob);
    const content = new Piece(
      size,
      () => this.#more(),
      (length) => this.#take(length),
    );
    yield { item, size, chunks: content.chunks() };
    for await (const _ of content.chunks());
    if (this.#held.length === 0) await this.#more();
    this.#take(1);
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf(LINE_FEED);
      if (end !== -1) return this.#take(end + 1).toString("utf8", 0, end);
      if (this.#held.length > MAX_LINE_BYTES) throw failed();
      const before = this.#held;
      this.#held = Buffer.alloc(0);
      await this.#more();
      this.#held = Buffer.concat([before, this.#held]);
    }
  }

  async #more(): Promise<number> {
    if (this.#held.length > 0) return this.#held.length;
    const chunk = await this.#chunks.next();
    if (chunk.done === true) throw failed();
    this.#held = chunk.value;
    return this.#held.length;
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}

class Piece {
  #left: number;
  readonly #more: () => Promise<number>;
  readonly #take: (length: number) => Buffer;

  constructor(size: number, more: () => Promise<number>, take: (length: number) => Buffer) {
    this.#left = size;
    this.#more = more;
    this.#take = take;
  }

  /** What is left of it. */
  async *chunks(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const chunk = this.#take(Math.min(this.#left, await this.#more()));
      this.#left -= chunk.length;
      yield chunk;
    }
  }
}

function failed(): VaultError {
  return new VaultError(
    "git-failed",
    "git cat-file failed: it ended before it had answered",
    "look at the repository with git fsck; nothing was changed",
  );
}

function notThere(blob: string): VaultError {
  return new VaultError(
    "git-failed",
    `an object is not here, so it cannot be looked through: ${blob.slice(0, 12)}`,
    "a partial clone lacks it: fetch it (git fetch --refetch), or look at the repository with git fsck",
  );
}

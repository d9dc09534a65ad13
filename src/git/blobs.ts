import { execa } from "execa";
import { VaultError } from "../vault-error.ts";
import { NO_MONITOR, NO_OTHER_REPOSITORY, NO_PLANTED_REPOSITORY } from "./guards.ts";

// Many objects from one git process. Standard input carries their names, so that nothing stands in an option's place, and
// replace refs are off: what is read is what the commits say.

const LINE_FEED = 0x0a;

/** Of a line of git's own: a name and a few words. */
const MAX_LINE_BYTES = 64 * 1024;

/** Whoever can push chooses what a blob holds: no more of it than this is kept in memory. It is above what a record can be. */
const MAX_BLOB_BYTES = 17 * 1024 * 1024;

/**
 * The contents of blobs, in the order of their names, one git process for all of them. Of one that is larger than any record
 * can be, the beginning.
 *
 * @param names object ids, or `COMMIT:PATH`; without a line break.
 * @param env what git is told besides.
 * @returns undefined for what is not there or no blob.
 */
export async function* readBlobs(
  workTree: string,
  names: readonly string[],
  env: Readonly<Record<string, string>> = {},
): AsyncGenerator<Buffer | undefined> {
  if (names.length === 0) return;
  if (names.some((name) => name.includes("\n"))) throw new TypeError("an object's name is one line");
  const settings = ["--no-replace-objects", "-c", NO_MONITOR, "-c", NO_PLANTED_REPOSITORY];
  const git = execa("git", [...settings, "cat-file", "--batch", "--buffer"], {
    cwd: workTree,
    env: { ...NO_OTHER_REPOSITORY, ...env },
    input: `${names.join("\n")}\n`,
    buffer: false,
    encoding: "buffer",
    reject: false,
  });
  try {
    yield* contentsIn(git.stdout as AsyncIterable<Buffer>, names.length);
  } finally {
    // Whoever reads no further leaves it waiting otherwise.
    git.kill();
  }
  await git;
}

/** The answers of `git cat-file --batch` to so many names. */
export async function* contentsIn(
  stream: AsyncIterable<Buffer>,
  count: number,
): AsyncGenerator<Buffer | undefined> {
  const output = new Output(stream);
  for (let left = count; left > 0; left--) {
    const head = await output.line();
    if (head === undefined) throw failed();
    const [, type, size] = /^\S+ (\w+) (\d+)$/.exec(head) ?? [];
    const content = size === undefined ? undefined : await output.bytes(Number(size), MAX_BLOB_BYTES);
    if (size !== undefined) await output.bytes(1, 1);
    yield type === "blob" ? content : undefined;
  }
}

function failed(): VaultError {
  return new VaultError(
    "git-failed",
    "git cat-file failed: it ended before it had answered",
    "look at the repository with git fsck; nothing was changed",
  );
}

class Output {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async line(): Promise<string | undefined> {
    for (let end = this.#held.indexOf(LINE_FEED); ; end = this.#held.indexOf(LINE_FEED)) {
      if (end !== -1) return this.#take(end + 1).toString("utf8", 0, end);
      const chunk = await this.#chunks.next();
      if (chunk.done === true || this.#held.length > MAX_LINE_BYTES) return undefined;
      this.#held = Buffer.concat([this.#held, chunk.value]);
    }
  }

  /** The next `length` bytes, of which at most `kept` are returned. */
  async bytes(length: number, kept: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let [left, room] = [length, Math.min(length, kept)]; left > 0; ) {
      if (this.#held.length === 0) {
        const chunk = await this.#chunks.next();
        if (chunk.done === true) throw failed();
        this.#held = chunk.value;
      }
      const taken = this.#take(Math.min(left, this.#held.length));
      left -= taken.length;
      if (room > 0) parts.push(taken.subarray(0, room));
      room = Math.max(0, room - taken.length);
    }
    return Buffer.concat(parts);
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}

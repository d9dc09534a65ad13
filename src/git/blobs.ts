import { execa } from "execa";
import { VaultError } from "../vault-error.ts";

// Many objects from one git process. Standard input carries their names, so that nothing stands in an option's place, and
// replace refs are off: what is read is what the commits say.

const LINE_FEED = 0x0a;

/**
 * The contents of blobs, in the order of their names, one git process for all of them.
 *
 * @param names object ids, or `COMMIT:PATH`; without a line break.
 * @returns undefined for what is not there or no blob.
 */
export async function* readBlobs(
  workTree: string,
  names: readonly string[],
): AsyncGenerator<Buffer | undefined> {
  if (names.length === 0) return;
  if (names.some((name) => name.includes("\n"))) throw new TypeError("an object's name is one line");
  const git = execa("git", ["--no-replace-objects", "cat-file", "--batch", "--buffer"], {
    cwd: workTree,
    input: `${names.join("\n")}\n`,
    buffer: false,
    encoding: "buffer",
    reject: false,
  });
  const output = new Output(git.stdout as AsyncIterable<Buffer>);
  for (const _ of names) {
    const head = await output.line();
    if (head === undefined) throw failed();
    const [, type, size] = /^\S+ (\w+) (\d+)$/.exec(head) ?? [];
    const content = size === undefined ? undefined : await output.bytes(Number(size) + 1);
    yield type === "blob" ? content?.subarray(0, -1) : undefined;
  }
  await git;
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
      if (chunk.done === true) return undefined;
      this.#held = Buffer.concat([this.#held, chunk.value]);
    }
  }

  async bytes(length: number): Promise<Buffer> {
    const parts = [this.#held];
    for (let have = this.#held.length; have < length; ) {
      const chunk = await this.#chunks.next();
      if (chunk.done === true) throw failed();
      parts.push(chunk.value);
      have += chunk.value.length;
    }
    this.#held = Buffer.concat(parts);
    return this.#take(length);
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}

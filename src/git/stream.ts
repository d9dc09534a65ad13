import { execa } from "execa";
import { VaultError } from "../vault-error.ts";

// git's output as it comes, for what may be as long as a history. Arguments are fixed or are object ids; replace refs are
// off, so that what is read is what the commits say. The environment is the caller's: in a hook it names the index and the
// objects that are meant.

/** @throws {VaultError} `git-failed`, at the end of the output. */
export async function* gitOutput(folder: string, args: readonly string[]): AsyncGenerator<Buffer> {
  const git = execa("git", ["--no-replace-objects", ...args], {
    cwd: folder,
    stdin: "ignore",
    stderr: "pipe",
    buffer: { stdout: false, stderr: true },
    encoding: "buffer",
    reject: false,
  });
  yield* git.stdout as AsyncIterable<Buffer>;
  const result = await git;
  if (result.exitCode === 0) return;
  if (result.code === "ENOENT") throw gitMissing(result);
  const [first = ""] = Buffer.from(result.stderr ?? "")
    .toString("utf8")
    .split("\n");
  const reason = first.trim().slice(0, 200) || `exit status ${result.exitCode}`;
  throw new VaultError(
    "git-failed",
    `git ${args.find((arg) => /^[a-z][a-z-]+$/.test(arg)) ?? ""} failed: ${reason}`,
    "nothing was changed; mend what git says and run this again",
  );
}

/** All of it, as text. */
export async function gitText(folder: string, args: readonly string[]): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of gitOutput(folder, args)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** The same where a failure is an answer. */
export async function findGitText(folder: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await gitText(folder, args)).replace(/\n$/, "");
  } catch (error) {
    if (error instanceof VaultError && error.code === "git-failed") return undefined;
    throw error;
  }
}

/** What stands before each NUL, as text. */
export async function* splitAtNul(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, from)) {
      yield Buffer.concat([...held, chunk.subarray(from, end)]).toString("utf8");
      held = [];
      from = end + 1;
    }
    if (from < chunk.length) held.push(chunk.subarray(from));
  }
  if (held.length > 0) yield Buffer.concat(held).toString("utf8");
}

function gitMissing(cause: unknown): VaultError {
  return new VaultError(
    "git-missing",
    "git was not found",
    "install git 2.25 or later and put it on the PATH",
    {
      cause,
    },
  );
}

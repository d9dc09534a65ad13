import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { systemCode, VaultError } from "../vault-error.ts";
import { NO_MONITOR, ONLY_READING } from "./guards.ts";

// git's output as it comes, for what may be as long as a history. Arguments are fixed or are object ids; replace refs are
// off, so that what is read is what the commits say. The environment is the caller's: in a hook it names the index and the
// objects that are meant. By node's own call: a hook waits for this before every commit, and execa would take it longer than
// all else.

/** Of what git says when it fails. */
const MAX_REASON_BYTES = 4096;

export interface RunningGit {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves at its end: the exit status, and what it said on standard error. */
  readonly ended: Promise<{ readonly status: number | null; readonly said: string }>;
}

export function startGit(folder: string, args: readonly string[]): RunningGit {
  const child = spawn("git", ["--no-replace-objects", ONLY_READING, "-c", NO_MONITOR, ...args], {
    cwd: folder,
    stdio: ["pipe", "pipe", "pipe"],
  });
  // Where it does not read what it is given, it says why on standard error.
  child.stdin.on("error", () => {});
  let said = Buffer.alloc(0);
  child.stderr.on("data", (chunk: Buffer) => {
    if (said.length < MAX_REASON_BYTES) said = Buffer.concat([said, chunk]);
  });
  const ended = once(child, "close").then(([status]: (number | null)[]) => ({
    status: status ?? null,
    said: said.toString("utf8"),
  }));
  // Told to whoever waits for it.
  ended.catch(() => {});
  return { child, ended };
}

/**
 * @param input what it is told on standard input.
 * @throws {VaultError} `git-failed`, at the end of the output.
 */
export async function* gitOutput(
  folder: string,
  args: readonly string[],
  input = "",
): AsyncGenerator<Buffer> {
  const git = startGit(folder, args);
  git.child.stdin.end(input);
  let isRead = false;
  try {
    yield* git.child.stdout as AsyncIterable<Buffer>;
    isRead = true;
  } finally {
    if (!isRead) git.child.kill();
  }
  await requireSuccess(git, args);
}

async function requireSuccess({ ended }: RunningGit, args: readonly string[]): Promise<void> {
  const { status, said } = await ended.catch((error: unknown) => {
    throw systemCode(error) === "ENOENT" ? gitMissing(error) : error;
  });
  if (status === 0) return;
  const reason = said.split("\n")[0]?.trim().slice(0, 200) || `exit status ${status}`;
  throw new VaultError(
    "git-failed",
    `git ${args.find((arg) => /^[a-z][a-z-]+$/.test(arg)) ?? ""} failed: ${reason}`,
    "nothing was changed; mend what git says and run this again",
  );
}

/** All of it, as text. */
export async function gitText(folder: string, args: readonly string[], input = ""): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of gitOutput(folder, args, input)) chunks.push(chunk);
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

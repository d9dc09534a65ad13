import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { shellWord } from "../vault/names.ts";
import { systemCode, VaultError } from "../vault-error.ts";
import { childProcess } from "./late-modules.ts";
import type { Protection } from "./protection.ts";
import type { Filter } from "./stream.ts";

// What a launched program is, whichever way it is held: by pipes (supervise.ts) or on a terminal (terminal/supervise.ts).

export const STATUS_NOT_EXECUTABLE = 126;
export const STATUS_NOT_FOUND = 127;
const STATUS_FAILED = 125;

/** execve(2): one string of the arguments or the environment, with its NUL, may not exceed this on Linux. */
export const MAX_STRING_BYTES = 131_072;

/** What leads a terminal's session. */
export const SHELL = "/bin/sh";

export interface Child {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Descriptors the child gets besides the three standard ones: its number → ours. */
  readonly descriptors: ReadonlyMap<number, number>;
}

export interface Streams {
  /** Not touched unless it is a terminal: node would make it non-blocking, for the child that inherits it as well. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** What our own process can be told, so that it can be passed on. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** The filter for one of the child's streams, by the name under which its leaks are counted. */
export type Filters = (stream: "stdout" | "stderr" | "terminal") => Filter;

/** What holds a child: where its output goes, what reaches it, and what ends it. */
export interface Supervision {
  readonly streams: Streams;
  readonly signals: SignalSource;
  readonly protection: Protection;
  /** Called once, when the child is there and has the descriptors it was given. */
  readonly started: (pid: number) => void;
  /** Once aborted, the child and all it started are killed. */
  readonly kill: AbortSignal;
  /** Told once, without a value, when output could not be passed on for another reason than a reader gone. */
  readonly warn: (text: string) => void;
}

/** No child was started. */
export class SpawnFailure extends Error {
  override readonly name = "SpawnFailure";
  readonly status: number;
  readonly reason: VaultError;

  constructor(status: number, reason: VaultError) {
    super(reason.message);
    this.status = status;
    this.reason = reason;
  }
}

/** The `stdio` of a child: the three standard streams, then its other descriptors, each under its number. */
export function stdioOf<T>(
  standard: readonly [T, T, T],
  descriptors: ReadonlyMap<number, number>,
): (T | number | "ignore")[] {
  const stdio: (T | number | "ignore")[] = [...standard];
  const last = Math.max(2, ...descriptors.keys());
  for (let fd = 3; fd <= last; fd++) stdio.push(descriptors.get(fd) ?? "ignore");
  return stdio;
}

/**
 * @param name what the user called it.
 * @throws {SpawnFailure} when no process was started.
 */
export function startProcess(
  file: string,
  args: readonly string[],
  options: SpawnOptions,
  protection: Pick<Protection, "outside">,
  name = file,
): Promise<ChildProcess> {
  const { spawn } = childProcess();
  return new Promise((resolve, reject) => {
    let running: ChildProcess;
    try {
      running = protection.outside(() => spawn(file, args, options));
    } catch (error) {
      // A NUL byte in an argument and an over-long argument list are thrown rather than emitted.
      reject(spawnFailure(systemCode(error), name, error));
      return;
    }
    running.once("spawn", () => resolve(running));
    running.once("error", (error) => reject(spawnFailure(systemCode(error), name, error)));
  });
}

/** What a failed execve(2) of `file` means to the user. */
export function spawnFailure(code: string | undefined, file: string, cause?: unknown): SpawnFailure {
  if (code === "ENOENT") {
    return failure(
      STATUS_NOT_FOUND,
      "usage",
      `command not found: ${file}`,
      "check its name and the PATH it is looked up in",
    );
  }
  if (code === "EACCES" || code === "ENOEXEC" || code === "EPERM") {
    return failure(
      STATUS_NOT_EXECUTABLE,
      "usage",
      `not executable (${code}): ${file}`,
      `where it is a program's file, make it executable: chmod +x ${shellWord(file)}`,
    );
  }
  const hint =
    code === "E2BIG"
      ? "arguments and environment together are too large; deliver large values with --file"
      : "nothing was started; look at the system's limits";
  return failure(
    STATUS_FAILED,
    "disk",
    `the command could not be started (${code ?? "error"}): ${file}`,
    hint,
    cause,
  );
}

function failure(
  status: number,
  code: "usage" | "disk",
  message: string,
  hint: string,
  cause?: unknown,
): SpawnFailure {
  return new SpawnFailure(status, new VaultError(code, message, hint, { cause }));
}

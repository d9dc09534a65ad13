import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { constants as os } from "node:os";
import { kill } from "node:process";
import type { Writable } from "node:stream";
import { systemCode, VaultError } from "../vault-error.ts";
import { FORWARDED, hasControllingTerminal, kernelDelivers } from "./signals.ts";
import { type Filter, RedactedStream } from "./stream.ts";

export const STATUS_NOT_EXECUTABLE = 126;
export const STATUS_NOT_FOUND = 127;

export interface Child {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Descriptors the child gets besides the three standard ones: its number → ours. */
  readonly descriptors: ReadonlyMap<number, number>;
}

export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export interface Filters {
  readonly stdout: Filter;
  readonly stderr: Filter;
}

/** What our own process can be told, so that it can be passed on. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
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

/**
 * Runs the child to its end and passes its output on through the filters.
 *
 * @param warn told once, without a value, when output could not be passed on for another reason than a reader gone.
 * @returns its exit status, 128 + n where signal n ended it.
 * @throws {SpawnFailure} when no child was started.
 */
export async function supervise(
  child: Child,
  streams: Streams,
  filters: Filters,
  signals: SignalSource,
  warn: (text: string) => void,
): Promise<number> {
  const leadsOwnGroup = !hasControllingTerminal();
  const forwarder = new Forwarder(leadsOwnGroup);
  // Before the child is there: a signal that comes while it starts must reach it, not end us and leave it alone.
  const listeners = FORWARDED.map((signal) => ({ signal, listener: () => forwarder.forward(signal) }));
  for (const { signal, listener } of listeners) signals.on(signal, listener);
  try {
    const running = await start(child, leadsOwnGroup);
    const { stdout, stderr, pid } = running;
    if (stdout === null || stderr === null || pid === undefined)
      throw new TypeError("the child's streams are not pipes");
    forwarder.begin(pid);
    const passed = [
      new RedactedStream(stdout, streams.stdout, filters.stdout, warn),
      new RedactedStream(stderr, streams.stderr, filters.stderr, warn),
    ];
    return await untilEnd(running, passed);
  } finally {
    for (const { signal, listener } of listeners) signals.off(signal, listener);
  }
}

/** Passes signals on to the child; those that come before it is there wait for it. */
class Forwarder {
  readonly #leadsOwnGroup: boolean;
  readonly #waiting: NodeJS.Signals[] = [];
  #pid: number | undefined;

  constructor(leadsOwnGroup: boolean) {
    this.#leadsOwnGroup = leadsOwnGroup;
  }

  begin(pid: number): void {
    this.#pid = pid;
    for (const signal of this.#waiting.splice(0)) this.forward(signal);
  }

  forward(signal: NodeJS.Signals): void {
    if (!this.#leadsOwnGroup && kernelDelivers(signal)) return;
    if (this.#pid === undefined) {
      this.#waiting.push(signal);
      return;
    }
    try {
      kill(this.#leadsOwnGroup ? -this.#pid : this.#pid, signal);
    } catch (error) {
      // It may have ended this very moment.
      if (systemCode(error) !== "ESRCH") throw error;
    }
  }
}

async function untilEnd(child: ChildProcess, streams: readonly RedactedStream[]): Promise<number> {
  const status = await new Promise<number>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : os.signals[signal])));
  });
  await Promise.all(streams.map((stream) => stream.finish()));
  return status;
}

function start(child: Child, leadsOwnGroup: boolean): Promise<ChildProcess> {
  const [file, ...args] = child.command;
  const options = {
    cwd: child.cwd,
    env: { ...child.env },
    stdio: stdioOf(child.descriptors),
    detached: leadsOwnGroup,
  };
  return new Promise((resolve, reject) => {
    let running: ChildProcess;
    try {
      running = spawn(file, args, options);
    } catch (error) {
      // A NUL byte in an argument and an over-long argument list are thrown rather than emitted.
      reject(spawnFailure(error, file));
      return;
    }
    running.once("spawn", () => resolve(running));
    running.once("error", (error) => reject(spawnFailure(error, file)));
  });
}

function stdioOf(descriptors: ReadonlyMap<number, number>): StdioOptions {
  const stdio: (number | "inherit" | "pipe" | "ignore")[] = ["inherit", "pipe", "pipe"];
  const last = Math.max(2, ...descriptors.keys());
  for (let fd = 3; fd <= last; fd++) stdio.push(descriptors.get(fd) ?? "ignore");
  return stdio;
}

function spawnFailure(error: unknown, file: string): SpawnFailure {
  const code = systemCode(error);
  if (code === "ENOENT") {
    const reason = new VaultError(
      "usage",
      `command not found: ${file}`,
      "check its name and the PATH it is looked up in",
    );
    return new SpawnFailure(STATUS_NOT_FOUND, reason);
  }
  if (code === "EACCES" || code === "ENOEXEC" || code === "EPERM") {
    const reason = new VaultError(
      "usage",
      `not executable (${code}): ${file}`,
      `make it executable: chmod +x ${file}`,
    );
    return new SpawnFailure(STATUS_NOT_EXECUTABLE, reason);
  }
  const hint =
    code === "E2BIG"
      ? "arguments and environment together are too large; deliver large values with --file"
      : "nothing was started; look at the system's limits";
  const reason = new VaultError(
    "disk",
    `the command could not be started (${code ?? "error"}): ${file}`,
    hint,
  );
  return new SpawnFailure(125, reason);
}

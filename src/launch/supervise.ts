import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { constants as os } from "node:os";
import { kill } from "node:process";
import type { Readable, Writable } from "node:stream";
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

/**
 * Runs the child to its end and passes its output on through the filters.
 *
 * @returns its exit status, 128 + n where signal n ended it.
 * @throws {SpawnFailure} when no child was started.
 */
export async function supervise(
  child: Child,
  streams: Streams,
  filters: Filters,
  signals: SignalSource,
): Promise<number> {
  const leadsOwnGroup = !hasControllingTerminal();
  const running = await start(child, leadsOwnGroup);
  const { stdout, stderr, pid } = running;
  if (stdout === null || stderr === null || pid === undefined)
    throw new TypeError("the child's streams are not pipes");
  const forwarders = FORWARDED.map((signal) => ({
    signal,
    forward: () => forward(pid, signal, leadsOwnGroup),
  }));
  for (const { signal, forward } of forwarders) signals.on(signal, forward);
  try {
    return await untilEnd(running, [
      pipe(stdout, streams.stdout, filters.stdout),
      pipe(stderr, streams.stderr, filters.stderr),
    ]);
  } finally {
    for (const { signal, forward } of forwarders) signals.off(signal, forward);
  }
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

function pipe(from: Readable, to: Writable, filter: Filter): RedactedStream {
  return new RedactedStream(from, to, filter);
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
    return new SpawnFailure(
      STATUS_NOT_FOUND,
      new VaultError("usage", `command not found: ${file}`, "check its name and the PATH it is looked up in"),
    );
  }
  if (code === "EACCES" || code === "ENOEXEC" || code === "EPERM") {
    return new SpawnFailure(
      STATUS_NOT_EXECUTABLE,
      new VaultError("usage", `not executable (${code}): ${file}`, `make it executable: chmod +x ${file}`),
    );
  }
  const hint =
    code === "E2BIG"
      ? "arguments and environment together are too large; deliver large values with --file"
      : "nothing was started; look at the system's limits";
  return new SpawnFailure(
    125,
    new VaultError("disk", `the command could not be started (${code ?? "error"}): ${file}`, hint),
  );
}

function forward(pid: number, signal: NodeJS.Signals, leadsOwnGroup: boolean): void {
  if (!leadsOwnGroup && kernelDelivers(signal)) return;
  try {
    kill(leadsOwnGroup ? -pid : pid, signal);
  } catch (error) {
    // It may have ended this very moment.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

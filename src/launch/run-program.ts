import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import type { Leak } from "../redact/index.ts";
import type { Machine } from "../vault/machine.ts";
import { formatRef } from "../vault/names.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import type { AgentSession } from "./agent-session.ts";
import { type Child, SpawnFailure, startProcess, stdioOf } from "./child.ts";
import { ChildDescriptors } from "./child-descriptors.ts";
import { type EnvironmentOptions, identityVariables, inheritedEnvironment } from "./environment.ts";
import { backgroundFileClosed } from "./inherited-descriptors.ts";
import { inject } from "./inject.ts";
import { LateRedactor } from "./late-redactor.ts";
import { type LeakPolicy, LeakWatch, reportLeaks, STATUS_LEAKED, warnOfShort } from "./leaks.ts";
import type { Libc } from "./libc.ts";
import { type Destination, PassedOn } from "./passed-on.ts";
import { isRunning, killTree } from "./process-tree.ts";
import { type SelectionOptions, select } from "./select.ts";
import { RedactedStream } from "./stream.ts";
import { untilEnd } from "./supervise.ts";

// A launch within a process that has other things to do. The order is that of launch.ts. What belongs to the process is
// left alone: its signals and their handlers, its own streams and what listens to them, its memory's protection, its
// children, its terminal. The program gets pipes, no descriptor but those that secrets are delivered through, and a place
// in this process's group.

export interface ProgramOptions extends SelectionOptions, EnvironmentOptions {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** What the program's environment starts from. */
  readonly parentEnv: Readonly<Record<string, string | undefined>>;
  readonly strictEnv: boolean;
  readonly onLeak: LeakPolicy;
  /** Standard input: this process's own, none, or these bytes. */
  readonly input: "inherit" | "ignore" | Uint8Array;
  /** Where the redacted output goes; undefined for nowhere. */
  readonly stdout: Destination | undefined;
  readonly stderr: Destination | undefined;
  /** Once aborted, the program gets SIGTERM, and no reader is waited for; where none was started yet, none is. */
  readonly signal: AbortSignal | undefined;
}

export interface ProgramEnd {
  /** The program's own; 128 + n where signal n ended it; 120 where a masked value did. */
  readonly status: number;
  /** What was masked in its output. */
  readonly leaks: readonly Leak[];
}

/** Nothing to put back: this process's core dumps are its own affair. */
const AS_IT_IS = { outside: <T>(start: () => T): T => start() };

/** @throws where no program was started, and where it was killed because a watched stream failed. */
export async function runProgram(
  session: AgentSession,
  options: ProgramOptions,
  machine: Machine,
  warn: (text: string) => void,
): Promise<ProgramEnd> {
  requireFolder(options.cwd);
  const descriptors = new ChildDescriptors([]);
  let values: readonly Secret[] = [];
  try {
    const [command] = options.command;
    const prepared = await session.recordingDenials(command, () =>
      prepare(session, options, descriptors, machine, warn),
    );
    values = prepared.values;
    await backgroundFileClosed(machine.env);
    return await hold(session, options, prepared.child, values, descriptors, warn);
  } catch (error) {
    throw error instanceof SpawnFailure ? error.reason : error;
  } finally {
    for (const value of values) value.dispose();
    descriptors.close();
  }
}

interface Prepared {
  readonly child: Child;
  readonly values: readonly Secret[];
}

/** Everything up to the audit record. Nothing is started. */
async function prepare(
  session: AgentSession,
  options: ProgramOptions,
  descriptors: ChildDescriptors,
  machine: Machine,
  warn: (text: string) => void,
): Promise<Prepared> {
  const { command, cwd, parentEnv, strictEnv } = options;
  const deliveries = select(session, options);
  const libc = deliveries.some(({ as }) => as === "pipe") ? await loadLibc() : undefined;
  const identity = session.identity.reveal();
  const readable = identityVariables(machine.env, identity);
  if (readable.length > 0)
    warn(`the program can read this process's environment, and in it ${readable.join(", ")}`);
  const secrets = [...new Map(deliveries.map(({ secret }) => [formatRef(secret), secret])).values()];
  return session.release(secrets, { action: "launch", command: command[0] }, async (values) => {
    const env = inheritedEnvironment(parentEnv, options, identity);
    await inject(deliveries, values, { env, descriptors, libc }, { strictEnv, warn });
    return { child: { command, cwd, env, descriptors: descriptors.given }, values };
  });
}

/** The system would say of the command that it is not there. */
function requireFolder(cwd: string): void {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new VaultError("usage", `no such folder: ${cwd}`, "name the folder that the program is to run in");
}

async function loadLibc(): Promise<Libc> {
  const { Libc, noPipe } = await import("./libc.ts");
  const libc = await Libc.load();
  if (typeof libc === "string") throw noPipe(libc);
  return libc;
}

async function hold(
  session: AgentSession,
  options: ProgramOptions,
  child: Child,
  values: readonly Secret[],
  descriptors: ChildDescriptors,
  warn: (text: string) => void,
): Promise<ProgramEnd> {
  const watch = new LeakWatch(options.onLeak);
  const redactor = new LateRedactor(
    values,
    (match) => watch.see(match),
    () => watch.fail(),
  );
  try {
    warnOfShort(redactor, warn);
    options.signal?.throwIfAborted();
    const status = await supervise(options, child, redactor, watch.kill, () => descriptors.started(), warn);
    return { status: watch.first === undefined ? status : STATUS_LEAKED, leaks: redactor.leaks() };
  } finally {
    const { command } = options;
    try {
      await reportLeaks(session, redactor.leaks(), { command, quiet: true }, undefined, warn);
    } finally {
      redactor.end();
    }
  }
}

async function supervise(
  options: ProgramOptions,
  { command: [file, ...args], cwd, env, descriptors }: Child,
  redactor: LateRedactor,
  kill: AbortSignal,
  started: () => void,
  warn: (text: string) => void,
): Promise<number> {
  const { input, stdout, stderr } = options;
  const standard = [
    typeof input === "string" ? input : "pipe",
    stdout === undefined ? "ignore" : "pipe",
    stderr === undefined ? "ignore" : "pipe",
  ] as const;
  const stdio = stdioOf<"inherit" | "ignore" | "pipe">(standard, descriptors);
  const running = await startProcess(file, args, { cwd, env: { ...env }, stdio }, AS_IT_IS);
  const ended = new Promise((resolve) => running.once("exit", resolve));
  try {
    started();
    redactor.started();
    return await untilOver(running, options, redactor, kill, warn);
  } catch (error) {
    // Whatever it was, the program is not left to itself.
    killTree(running);
    if (isRunning(running)) await ended;
    throw error;
  }
}

async function untilOver(
  running: ChildProcess,
  { input, stdout, stderr, signal }: ProgramOptions,
  redactor: LateRedactor,
  kill: AbortSignal,
  warn: (text: string) => void,
): Promise<number> {
  let failure: Error | undefined;
  const ours = { stdout, stderr };
  const ends = (["stdout", "stderr"] as const).flatMap((name) => {
    const [from, to] = [running[name], ours[name]];
    if (from === null || to === undefined) return [];
    const passedOn = new PassedOn(to, name, (error) => {
      failure ??= error;
      killTree(running);
    });
    return [{ passedOn, stream: new RedactedStream(from, passedOn, redactor.stream(name), warn) }];
  });
  const end = () => {
    running.kill("SIGTERM");
    for (const { passedOn } of ends) passedOn.hurry();
  };
  try {
    kill.addEventListener("abort", () => killTree(running));
    signal?.addEventListener("abort", end);
    if (signal?.aborted === true) end();
    // A program that reads no more than it wants closes its end.
    running.stdin?.on("error", () => {}).end(input);
    const streams = ends.map(({ stream }) => stream);
    const status = await untilEnd(running, streams, () => {});
    if (failure !== undefined) throw failure;
    return status;
  } finally {
    signal?.removeEventListener("abort", end);
    for (const { passedOn } of ends) passedOn.release();
  }
}

import { statSync } from "node:fs";
import { Writable } from "node:stream";
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
import { killTree } from "./process-tree.ts";
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
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Once aborted, the program gets SIGTERM; where none was started yet, none is. */
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

/** @throws {VaultError} where no program was started. */
export async function runProgram(
  session: AgentSession,
  options: ProgramOptions,
  machine: Machine,
  warn: (text: string) => void,
): Promise<ProgramEnd> {
  requireFolder(options.cwd);
  const descriptors = new ChildDescriptors([]);
  let released: readonly Secret[] = [];
  try {
    const [command] = options.command;
    const { child, values } = await session.recordingDenials(command, () =>
      prepare(session, options, descriptors, machine, warn),
    );
    released = values;
    await backgroundFileClosed(machine.env);
    return await hold(session, options, child, values, descriptors, warn);
  } catch (error) {
    throw error instanceof SpawnFailure ? error.reason : error;
  } finally {
    for (const value of released) value.dispose();
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
  warnOfShort(redactor, warn);
  try {
    options.signal?.throwIfAborted();
    const status = await supervise(options, child, redactor, watch.kill, () => descriptors.started(), warn);
    return { status: watch.first === undefined ? status : STATUS_LEAKED, leaks: redactor.leaks() };
  } finally {
    const { command } = options;
    await reportLeaks(session, redactor.leaks(), { command, quiet: true }, undefined, warn);
    redactor.end();
  }
}

async function supervise(
  { input, stdout, stderr, signal }: ProgramOptions,
  { command: [file, ...args], cwd, env, descriptors }: Child,
  redactor: LateRedactor,
  kill: AbortSignal,
  started: () => void,
  warn: (text: string) => void,
): Promise<number> {
  const standard = [
    typeof input === "string" ? input : "pipe",
    stdout === undefined ? "ignore" : "pipe",
    stderr === undefined ? "ignore" : "pipe",
  ] as const;
  const stdio = stdioOf<"inherit" | "ignore" | "pipe">(standard, descriptors);
  const running = await startProcess(file, args, { cwd, env: { ...env }, stdio }, AS_IT_IS);
  started();
  redactor.started();
  kill.addEventListener("abort", () => killTree(running));
  const end = () => running.kill("SIGTERM");
  signal?.addEventListener("abort", end);
  if (signal?.aborted === true) end();
  // A program that reads no more than it wants closes its end.
  running.stdin?.on("error", () => {}).end(input);
  const ours = { stdout, stderr };
  const streams = (["stdout", "stderr"] as const).flatMap((name) => {
    const [from, to] = [running[name], ours[name]];
    if (from === null || to === undefined) return [];
    return [new RedactedStream(from, new PassedOn(to), redactor.stream(name), warn)];
  });
  try {
    return await untilEnd(running, streams, () => {});
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

/** Passes bytes on to a stream that is not ours: nothing stays behind that listens to it, and it is never ended. */
class PassedOn extends Writable {
  readonly #to: Writable;

  constructor(to: Writable) {
    super();
    this.#to = to;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#to.writable) this.#to.write(chunk, done);
    else done(Object.assign(new Error("the stream takes no more"), { code: "EPIPE" }));
  }
}

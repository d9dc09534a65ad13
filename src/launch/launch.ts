import type { AuditEvent } from "../audit/event.ts";
import { createRedactor, type Match, type Redactor } from "../redact/index.ts";
import type { Machine } from "../vault/machine.ts";
import { formatRef } from "../vault/names.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import { type AgentOptions, AgentSession } from "./agent-session.ts";
import type { Child, SignalSource, Streams, Supervision } from "./child.ts";
import { ChildDescriptors } from "./child-descriptors.ts";
import { chooseTerminal, type TerminalSupervisor, type TtyMode } from "./choose-terminal.ts";
import { type EnvironmentOptions, inheritedEnvironment, requireUtf8 } from "./environment.ts";
import { type InheritedDescriptor, withoutKey } from "./inherited-descriptors.ts";
import { type LeakPolicy, LeakWatch, reportLeaks, warnOfShort } from "./leaks.ts";
import type { Libc } from "./libc.ts";
import { Orphans } from "./orphans.ts";
import { leadToOnePlace, NOT_REDACTED, redactedOutputs } from "./outputs.ts";
import { emptyCoreDumps, hideMemory } from "./protection.ts";
import { type Delivery, type SelectionOptions, select } from "./select.ts";
import { supervise } from "./supervise.ts";

// The order is the promise: read, verify and open everything; build the environment; write the audit record; only then
// start the child. Whatever fails before that leaves nothing started.

/** execve(2): one environment string, `NAME=value` with its NUL, may not exceed this on Linux. */
const MAX_ENV_STRING_BYTES = 131_072;

/** A redacted value was in the output, and `--on-leak kill` says what that means. */
const STATUS_LEAKED = 120;

/** The first process of a container, or of any other namespace of processes. */
const INIT = 1;

export interface LaunchOptions extends AgentOptions, SelectionOptions, EnvironmentOptions {
  readonly command: readonly [string, ...string[]];
  /** Whether the output is redacted; otherwise this process becomes the program where it can. */
  readonly redact: boolean;
  readonly tty: TtyMode;
  readonly onLeak: LeakPolicy;
  /** Without the line at the end that says what was masked. */
  readonly quiet: boolean;
}

export interface Surroundings {
  readonly machine: Machine;
  readonly streams: Streams;
  readonly signals: SignalSource;
  /** What the child is to have besides the standard streams, as we got it. */
  readonly inherited: readonly InheritedDescriptor[];
  /** One line for the person who started it. Never called with a value. */
  readonly warn: (text: string) => void;
}

interface Prepared {
  readonly env: Record<string, string>;
  /** Undefined where the output is not redacted. */
  readonly redactor: Redactor | undefined;
  /** Undefined where the launch takes no call that node lacks. */
  readonly libc: Libc | undefined;
}

/** Runs the command with what the agent was granted. Resolves to its exit status; not at all where we became it. */
export async function launch(options: LaunchOptions, around: Surroundings): Promise<number> {
  const { machine, warn } = around;
  emptyCoreDumps();
  requireUtf8(warn);
  const session = AgentSession.open(machine, options, warn);
  const descriptors = new ChildDescriptors(withoutKey(around.inherited, session.keyFrom));
  const terminal = options.redact
    ? await chooseTerminal(options.tty, descriptors.shellDescriptor, warn)
    : undefined;
  const watch = new LeakWatch(options.onLeak);
  const onMatch = (match: Match) => watch.see(match);
  try {
    const prepared = await session.recordingDenials(options.command[0], async () => {
      const deliveries = select(session, options);
      const libc = terminal?.libc ?? (await findLibc(deliveries, options, around));
      const secrets = [...new Map(deliveries.map(({ secret }) => [formatRef(secret), secret])).values()];
      const event: AuditEvent = { action: "launch", command: options.command[0] };
      return session.release(secrets, event, async (values) => {
        const env = await prepareEnvironment(session, deliveries, values, descriptors, libc, options, around);
        const redactor = options.redact ? prepareRedactor(values, onMatch, warn) : undefined;
        for (const value of values) value.dispose();
        // A signal that came meanwhile ends us now, before anything is recorded or started.
        await pendingSignals();
        return { env, redactor, libc };
      });
    });
    return await run(prepared, descriptors, terminal, watch, session, options, around);
  } finally {
    descriptors.close();
  }
}

/** Starts the child and holds it to its end. */
async function run(
  { env, redactor, libc }: Prepared,
  descriptors: ChildDescriptors,
  terminal: TerminalSupervisor | undefined,
  watch: LeakWatch,
  session: AgentSession,
  options: LaunchOptions,
  { machine, streams, signals, warn }: Surroundings,
): Promise<number> {
  const child: Child = { command: options.command, cwd: machine.cwd, env, descriptors: descriptors.given };
  if (redactor === undefined) {
    const { handOver } = await import("./hand-over.ts");
    warn(`it is supervised rather than handed over: ${await handOver(child, descriptors)}`);
  }
  const orphans = machine.pid === INIT && libc !== undefined ? new Orphans(libc, signals) : undefined;
  let hiding: { stop(): void } | undefined;
  const started = (pid: number) => {
    descriptors.started();
    orphans?.except(pid);
    hiding = hideMemory(libc);
  };
  const around: Supervision = { streams, signals, warn, started, kill: watch.kill };
  try {
    const filters = redactor?.stream;
    const status =
      terminal !== undefined && filters !== undefined
        ? await terminal.supervise(child, filters, around)
        : await supervise(
            child,
            filters === undefined ? NOT_REDACTED : redactedOutputs(libc, filters, around),
            around,
          );
    return watch.first === undefined ? status : STATUS_LEAKED;
  } finally {
    hiding?.stop();
    orphans?.stop();
    if (redactor !== undefined) reportLeaks(session, redactor.leaks(), options, watch, warn);
  }
}

/** What a launch would inject, without opening any of it: the variable, the secret, and how it would be delivered. */
export function dryRun(options: LaunchOptions, around: Surroundings): Delivery[] {
  const session = AgentSession.open(around.machine, options, around.warn);
  return select(session, options);
}

/**
 * The C library, where this launch takes a call that node lacks: real pipes, and waiting for processes that others
 * started.
 */
async function findLibc(
  deliveries: readonly Delivery[],
  { redact }: LaunchOptions,
  { machine, warn }: Surroundings,
): Promise<Libc | undefined> {
  const hasPipes = deliveries.some(({ as }) => as === "pipe");
  if (!hasPipes && machine.pid !== INIT && !(redact && leadToOnePlace())) return undefined;
  const { Libc } = await import("./libc.ts");
  const libc = await Libc.load();
  if (typeof libc !== "string") return libc;
  if (hasPipes) {
    throw new VaultError(
      "no-pipe",
      `no pipe can be made: ${libc}`,
      "reinstall vault-run with its optional packages, or deliver the secret with --file",
    );
  }
  if (machine.pid === INIT) warn(`processes without a parent are not waited for: ${libc}`);
  return undefined;
}

async function prepareEnvironment(
  session: AgentSession,
  deliveries: readonly Delivery[],
  values: readonly Secret[],
  descriptors: ChildDescriptors,
  libc: Libc | undefined,
  options: LaunchOptions,
  { machine, warn }: Surroundings,
): Promise<Record<string, string>> {
  const env = inheritedEnvironment(machine.env, options, session.identity.reveal());
  const byRef = new Map(values.map((value) => [value.ref, value]));
  for (const { secret, variable, as } of deliveries) {
    const value = byRef.get(formatRef(secret));
    if (value === undefined) throw new TypeError("a delivery without its value");
    if (env[variable] !== undefined) {
      if (options.strictEnv) throw alreadySet(variable, value);
      warn(`${variable} of the parent's environment is replaced by ${value.ref}`);
    }
    env[variable] = await deliver(value, variable, as, descriptors, libc);
  }
  return env;
}

/** @returns what the variable is to hold: the value, or the path to it. */
async function deliver(
  value: Secret,
  variable: string,
  as: Delivery["as"],
  descriptors: ChildDescriptors,
  libc: Libc | undefined,
): Promise<string> {
  if (as === "env") return variableText(value, variable);
  if (as === "file") return `/dev/fd/${await descriptors.addFile(value.bytes())}`;
  if (libc === undefined) throw new TypeError("a pipe without the library that makes it");
  return `/dev/fd/${descriptors.addPipe(value.bytes(), libc)}`;
}

function prepareRedactor(
  values: readonly Secret[],
  onMatch: (match: Match) => void,
  warn: (text: string) => void,
): Redactor {
  const secrets = values.map((value) => ({ name: value.ref, value: value.bytes() }));
  const redactor = createRedactor(secrets, { onMatch });
  warnOfShort(redactor, warn);
  return redactor;
}

/** The event loop looks for signals once a turn. */
function pendingSignals(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function alreadySet(variable: string, { ref }: Secret): VaultError {
  return new VaultError(
    "collision",
    `${variable} is set in the parent's environment, and ${ref} is to be injected as it`,
    `unset it, inject the secret under another variable (--env OTHER_NAME=${ref}), or leave --strict-env out`,
  );
}

function variableText(value: Secret, variable: string): string {
  if (!value.isText()) {
    throw new VaultError(
      "bad-value",
      `${value.ref} is binary and cannot stand in a variable`,
      `deliver it as a file: --file ${variable}=${value.ref}`,
    );
  }
  if (variable.length + value.bytes().length + 2 > MAX_ENV_STRING_BYTES) {
    throw new VaultError(
      "bad-value",
      `${value.ref} is too large for a variable (the system takes ${MAX_ENV_STRING_BYTES} bytes)`,
      `deliver it as a file: --file ${variable}=${value.ref}`,
    );
  }
  return value.reveal();
}

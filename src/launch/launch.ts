import { closeSync } from "node:fs";
import type { AuditEvent } from "../audit/event.ts";
import { createRedactor, type Match, type Redactor } from "../redact/index.ts";
import type { Machine } from "../vault/machine.ts";
import { formatRef } from "../vault/names.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import { type AgentOptions, AgentSession } from "./agent-session.ts";
import { type Child, descriptorNumber, type SignalSource, type Streams } from "./child.ts";
import { chooseTerminal, type TtyMode } from "./choose-terminal.ts";
import { type EnvironmentOptions, inheritedEnvironment } from "./environment.ts";
import { type LeakPolicy, LeakWatch, reportLeaks, warnOfShort } from "./leaks.ts";
import { openMemoryFile } from "./memory-file.ts";
import { closeDescriptorsOf } from "./own-descriptors.ts";
import { type Delivery, type SelectionOptions, select } from "./select.ts";
import { supervise } from "./supervise.ts";

// The order is the promise: read, verify and open everything; build the environment; write the audit record; only then
// start the child. Whatever fails before that leaves nothing started.

/** execve(2): one environment string, `NAME=value` with its NUL, may not exceed this on Linux. */
const MAX_ENV_STRING_BYTES = 131_072;

/** A redacted value was in the output, and `--on-leak kill` says what that means. */
const STATUS_LEAKED = 120;

export interface LaunchOptions extends AgentOptions, SelectionOptions, EnvironmentOptions {
  readonly command: readonly [string, ...string[]];
  readonly tty: TtyMode;
  readonly onLeak: LeakPolicy;
  /** Without the line at the end that says what was masked. */
  readonly quiet: boolean;
}

export interface Surroundings {
  readonly machine: Machine;
  readonly streams: Streams;
  readonly signals: SignalSource;
  /** One line for the person who started it. Never called with a value. */
  readonly warn: (text: string) => void;
}

interface Prepared {
  readonly env: Record<string, string>;
  readonly descriptors: Map<number, number>;
  readonly redactor: Redactor;
}

/** Runs the command with what the agent was granted. Resolves to the exit status. */
export async function launch(options: LaunchOptions, around: Surroundings): Promise<number> {
  const session = AgentSession.open(around.machine, options, around.warn);
  closeDescriptorsOf(session.keyFrom);
  const terminal = await chooseTerminal(options.tty, around.warn);
  const watch = new LeakWatch(options.onLeak);
  const { env, descriptors, redactor } = await session.recordingDenials(options.command[0], () => {
    const deliveries = select(session, options);
    const secrets = [...new Map(deliveries.map(({ secret }) => [formatRef(secret), secret])).values()];
    const event: AuditEvent = { action: "launch", command: options.command[0] };
    const onMatch = (match: Match) => watch.see(match);
    return session.release(secrets, event, (values) =>
      prepare(session, deliveries, values, options, around, onMatch),
    );
  });
  const child: Child = { command: options.command, cwd: around.machine.cwd, env, descriptors };
  const { streams, signals, warn } = around;
  const supervision = { streams, signals, warn, filter: redactor.stream, kill: watch.kill };
  try {
    const status = await (terminal === undefined
      ? supervise(child, supervision)
      : terminal.supervise(child, supervision));
    return watch.first === undefined ? status : STATUS_LEAKED;
  } finally {
    for (const fd of descriptors.values()) closeSync(fd);
    reportLeaks(session, redactor.leaks(), options, watch, warn);
  }
}

/** What a launch would inject, without opening any of it: the variable, the secret, and how it would be delivered. */
export function dryRun(options: LaunchOptions, around: Surroundings): Delivery[] {
  const session = AgentSession.open(around.machine, options, around.warn);
  return select(session, options);
}

function prepare(
  session: AgentSession,
  deliveries: readonly Delivery[],
  values: readonly Secret[],
  options: LaunchOptions,
  around: Surroundings,
  onMatch: (match: Match) => void,
): Prepared {
  const env = inheritedEnvironment(around.machine.env, options, session.identity.reveal());
  const descriptors = new Map<number, number>();
  const byRef = new Map(values.map((value) => [value.ref, value]));
  for (const { secret, variable, as } of deliveries) {
    const value = byRef.get(formatRef(secret));
    if (value === undefined) throw new TypeError("a delivery without its value");
    if (env[variable] !== undefined)
      around.warn(`${variable} of the parent's environment is replaced by ${value.ref}`);
    if (as === "env") {
      env[variable] = variableText(value, variable);
      continue;
    }
    const fd = descriptorNumber(descriptors.size);
    descriptors.set(fd, openMemoryFile(value.bytes()));
    env[variable] = `/dev/fd/${fd}`;
  }
  const redactor = createRedactor(
    values.map((value) => ({ name: value.ref, value: value.bytes() })),
    { onMatch },
  );
  warnOfShort(redactor, around.warn);
  for (const value of values) value.dispose();
  return { env, descriptors, redactor };
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

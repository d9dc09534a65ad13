import { closeSync } from "node:fs";
import type { AuditEvent, AuditLeak } from "../audit/event.ts";
import { createRedactor, type Redactor } from "../redact/index.ts";
import type { Machine } from "../vault/machine.ts";
import { formatRef } from "../vault/names.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import { type AgentOptions, AgentSession } from "./agent-session.ts";
import { type EnvironmentOptions, inheritedEnvironment } from "./environment.ts";
import { openMemoryFile } from "./memory-file.ts";
import { closeDescriptorsOf } from "./own-descriptors.ts";
import { type Delivery, type SelectionOptions, select } from "./select.ts";
import { type SignalSource, type Streams, supervise } from "./supervise.ts";

// The order is the promise: read, verify and open everything; build the environment; write the audit record; only then
// start the child. Whatever fails before that leaves nothing started.

/** execve(2): one environment string, `NAME=value` with its NUL, may not exceed this on Linux. */
const MAX_ENV_STRING_BYTES = 131_072;

/** The first number after the standard three. */
const FIRST_DESCRIPTOR = 3;

export interface LaunchOptions extends AgentOptions, SelectionOptions, EnvironmentOptions {
  readonly command: readonly [string, ...string[]];
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
  const prepared = await refusalsRecorded(session, options, () => {
    const deliveries = select(session, options);
    const secrets = [...new Map(deliveries.map(({ secret }) => [formatRef(secret), secret])).values()];
    const event: AuditEvent = { action: "launch", command: options.command[0] };
    return session.release(secrets, event, (values) => prepare(session, deliveries, values, options, around));
  });
  const { redactor } = prepared;
  try {
    const filters = { stdout: redactor.stream("stdout"), stderr: redactor.stream("stderr") };
    const { env, descriptors } = prepared;
    const child = { command: options.command, cwd: around.machine.cwd, env, descriptors };
    return await supervise(child, around.streams, filters, around.signals, around.warn);
  } finally {
    for (const fd of prepared.descriptors.values()) closeSync(fd);
    const leaks = redactor.leaks().map(({ name, ...where }) => ({ secret: name, ...where }));
    recordLeaks(session, leaks, options.command[0], around.warn);
  }
}

/** What a launch would inject, without opening any of it: the variable, the secret, and how it would be delivered. */
export function dryRun(options: LaunchOptions, around: Surroundings): Delivery[] {
  const session = AgentSession.open(around.machine, options, around.warn);
  return select(session, options);
}

async function refusalsRecorded<T>(
  session: AgentSession,
  options: LaunchOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof VaultError) session.recordDenial(error, options.command[0]);
    throw error;
  }
}

function prepare(
  session: AgentSession,
  deliveries: readonly Delivery[],
  values: readonly Secret[],
  options: LaunchOptions,
  around: Surroundings,
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
    const fd = FIRST_DESCRIPTOR + descriptors.size;
    descriptors.set(fd, openMemoryFile(value.bytes()));
    env[variable] = `/dev/fd/${fd}`;
  }
  const redactor = createRedactor(values.map((value) => ({ name: value.ref, value: value.bytes() })));
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

function warnOfShort(redactor: Redactor, warn: (text: string) => void): void {
  if (redactor.tooShort.length === 0) return;
  warn(`too short to be redacted from the output: ${redactor.tooShort.join(", ")}`);
}

function recordLeaks(
  session: AgentSession,
  leaks: readonly AuditLeak[],
  command: string,
  warn: (text: string) => void,
): void {
  if (leaks.length === 0) return;
  try {
    session.record({ action: "leak", command, leaks });
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    warn(error.message);
  }
}

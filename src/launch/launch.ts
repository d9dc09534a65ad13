import type { AuditEvent } from "../audit/event.ts";
import { INIT, type Machine } from "../vault/machine.ts";
import { formatRef } from "../vault/names.ts";
import { type AgentOptions, AgentSession } from "./agent-session.ts";
import type { SignalSource, Streams } from "./child.ts";
import { ChildDescriptors } from "./child-descriptors.ts";
import { chooseTerminal, type TerminalSupervisor, type TtyMode } from "./choose-terminal.ts";
import {
  type EnvironmentOptions,
  identityVariables,
  inheritedEnvironment,
  requireUtf8Arguments,
  warnOfChanged,
} from "./environment.ts";
import { handOver } from "./hand-over.ts";
import type { Prepared } from "./hold.ts";
import { backgroundFileClosed, type InheritedDescriptor, withoutKey } from "./inherited-descriptors.ts";
import { inject } from "./inject.ts";
import type { LeakPolicy } from "./leaks.ts";
import type { Libc } from "./libc.ts";
import { Protection } from "./protection.ts";
import { type Delivery, type SelectionOptions, select } from "./select.ts";
import { pendingSignals } from "./signals.ts";
import { leadToOnePlace } from "./standard-streams.ts";

// The order is the promise: read, verify and open everything; build the environment; write the audit record; only then
// start the child. Whatever fails before that leaves nothing started.

export interface LaunchOptions extends AgentOptions, SelectionOptions, EnvironmentOptions {
  readonly command: readonly [string, ...string[]];
  /** Whether the output is redacted; otherwise this process becomes the program where it can. */
  readonly redact: boolean;
  readonly tty: TtyMode;
  readonly onLeak: LeakPolicy;
  /** Whether a variable of the parent that a secret would replace is an error. */
  readonly strictEnv: boolean;
  /** Without the line at the end that says what was masked. */
  readonly quiet: boolean;
}

export interface Surroundings {
  readonly machine: Machine;
  readonly streams: Streams;
  readonly signals: SignalSource;
  /** What the child is to have besides the standard streams, as we got it. */
  readonly inherited: readonly InheritedDescriptor[];
  /** Called before the first value is in memory. */
  readonly beforeValues: () => void;
  /** One line for the person who started it. Never called with a value. */
  readonly warn: (text: string) => void;
}

/** Runs the command with what the agent was granted. Resolves to its exit status; not at all where we became it. */
export async function launch(options: LaunchOptions, around: Surroundings): Promise<number> {
  const protection = new Protection();
  requireUtf8Arguments();
  const session = await AgentSession.open(around.machine, options, around.warn, {
    command: options.command[0],
  });
  const descriptors = new ChildDescriptors(withoutKey(around.inherited, session.keyFrom));
  try {
    return await new Launch(options, around, session, descriptors, protection).run();
  } finally {
    descriptors.close();
    protection.end();
  }
}

/** What a launch would inject, without opening any of it: the variable, the secret, and how it would be delivered. */
export async function dryRun(options: LaunchOptions, around: Surroundings): Promise<Delivery[]> {
  const [command] = options.command;
  const session = await AgentSession.open(around.machine, options, around.warn, { command });
  return session.recordingDenials(command, () => select(session, options));
}

class Launch {
  readonly #options: LaunchOptions;
  readonly #around: Surroundings;
  readonly #session: AgentSession;
  readonly #descriptors: ChildDescriptors;
  readonly #protection: Protection;

  constructor(
    options: LaunchOptions,
    around: Surroundings,
    session: AgentSession,
    descriptors: ChildDescriptors,
    protection: Protection,
  ) {
    this.#options = options;
    this.#around = around;
    this.#session = session;
    this.#descriptors = descriptors;
    this.#protection = protection;
  }

  async run(): Promise<number> {
    const { command, redact, tty } = this.#options;
    const { warn } = this.#around;
    const { shellDescriptor } = this.#descriptors;
    const terminal = redact ? await chooseTerminal(tty, shellDescriptor, warn) : undefined;
    const prepared = await this.#session.recordingDenials(command[0], () => this.#prepare(terminal));
    try {
      await backgroundFileClosed(this.#around.machine.env);
      if (!redact) {
        const reason = await handOver(prepared.child, this.#descriptors, this.#protection);
        warn(`--no-redact: the program is supervised, not handed over: ${reason}`);
      }
      const { hold } = await import("./hold.ts");
      return await hold(prepared, terminal, {
        session: this.#session,
        options: this.#options,
        streams: this.#around.streams,
        signals: this.#around.signals,
        protection: this.#protection,
        isInit: this.#around.machine.pid === INIT,
        warn,
        started: () => this.#descriptors.started(),
      });
    } finally {
      // Where it came to that, they are overwritten by now.
      for (const value of prepared.redacted ?? []) value.dispose();
    }
  }

  /** Everything up to the audit record. Nothing is started. */
  async #prepare(terminal: TerminalSupervisor | undefined): Promise<Prepared> {
    const { command, redact, strictEnv } = this.#options;
    const { machine, warn } = this.#around;
    const deliveries = select(this.#session, this.#options);
    const libc = terminal?.libc ?? (await this.#loadLibc(deliveries));
    const secrets = [...new Map(deliveries.map(({ secret }) => [formatRef(secret), secret])).values()];
    const event: AuditEvent = { action: "launch", command: command[0] };
    this.#around.beforeValues();
    return this.#session.release(secrets, event, async (values) => {
      const env = inheritedEnvironment(machine.env, this.#options, this.#session.identity.reveal());
      warnOfChanged(env, warn);
      const target = { env, descriptors: this.#descriptors, libc };
      await inject(deliveries, values, target, { strictEnv, warn });
      if (!redact) for (const value of values) value.dispose();
      // A signal that came meanwhile ends us now, before anything is recorded or started.
      await pendingSignals();
      const child = { command, cwd: machine.cwd, env, descriptors: this.#descriptors.given };
      return { child, redacted: redact ? values : undefined, libc };
    });
  }

  /**
   * The C library, where this launch takes a call that node lacks: real pipes, waiting for processes that others started,
   * and memory that is hidden before the program can look, where a key came in a variable.
   */
  async #loadLibc(deliveries: readonly Delivery[]): Promise<Libc | undefined> {
    const { machine, warn } = this.#around;
    const hasPipes = deliveries.some(({ as }) => as === "pipe");
    const isOneOutput = this.#options.redact && leadToOnePlace();
    const readable = identityVariables(machine.env, this.#session.identity.reveal());
    const isInit = machine.pid === INIT;
    if (!hasPipes && !isOneOutput && !isInit && readable.length === 0) return undefined;
    const { Libc, noPipe } = await import("./libc.ts");
    const libc = await Libc.load();
    if (typeof libc !== "string") return libc;
    if (hasPipes) throw noPipe(libc);
    if (isInit) warn(`processes without a parent are not waited for: ${libc}`);
    if (readable.length > 0) {
      warn(`the program can read vault-run's own environment, and in it ${readable.join(", ")}: ${libc}`);
    }
    return undefined;
  }
}

import type { Secret } from "../vault/secret.ts";
import type { AgentSession } from "./agent-session.ts";
import type { Child, Filters, SignalSource, Streams, Supervision } from "./child.ts";
import type { TerminalSupervisor } from "./choose-terminal.ts";
import { LateRedactor } from "./late-redactor.ts";
import { type LeakPolicy, LeakWatch, reportLeaks, STATUS_LEAKED, warnOfShort } from "./leaks.ts";
import type { Libc } from "./libc.ts";
import { Orphans } from "./orphans.ts";
import { NOT_REDACTED, redactedOutputs } from "./outputs.ts";
import type { Protection } from "./protection.ts";
import { writtenWhole } from "./standard-streams.ts";
import { supervise } from "./supervise.ts";

// From the audit record on: starts the child and holds it to its end. Loaded only where this process does not become the
// program.

/** Everything that a child is started with. */
export interface Prepared {
  readonly child: Child;
  /** What is redacted from its output; undefined where that is left alone. They are overwritten here. */
  readonly redacted: readonly Secret[] | undefined;
  /** Undefined where the launch takes no call that node lacks. */
  readonly libc: Libc | undefined;
}

export interface Holder {
  readonly session: AgentSession;
  readonly options: {
    readonly command: readonly [string, ...string[]];
    readonly onLeak: LeakPolicy;
    readonly quiet: boolean;
  };
  readonly streams: Streams;
  readonly signals: SignalSource;
  readonly protection: Protection;
  /** Whether we are the first process of a container: its orphans become ours. */
  readonly isInit: boolean;
  readonly warn: (text: string) => void;
  /** Told once, when the child is there and has the descriptors it was given. */
  readonly started: () => void;
}

/** Resolves to the child's exit status. */
export async function hold(
  prepared: Prepared,
  terminal: TerminalSupervisor | undefined,
  holder: Holder,
): Promise<number> {
  const { libc } = prepared;
  const { session, options, streams, signals, protection, isInit, warn } = holder;
  const watch = new LeakWatch(options.onLeak);
  const redactor =
    prepared.redacted === undefined
      ? undefined
      : new LateRedactor(
          prepared.redacted,
          (match) => watch.see(match),
          () => watch.fail(),
        );
  if (redactor !== undefined) warnOfShort(redactor, warn);
  const orphans = isInit && libc !== undefined ? new Orphans(libc, signals) : undefined;
  // Before the program is there to look.
  if (libc !== undefined) protection.hide(libc);
  const started = (pid: number) => {
    holder.started();
    orphans?.except(pid);
    redactor?.started();
    if (libc === undefined) protection.hideLater();
  };
  try {
    const [stdout, stderr] = [writtenWhole(streams.stdout), writtenWhole(streams.stderr)];
    const around: Supervision = {
      streams: { stdin: streams.stdin, stdout, stderr },
      signals,
      warn,
      protection,
      started,
      kill: watch.kill,
    };
    const status = await superviseWith(prepared, redactor, terminal, around);
    return watch.first === undefined ? status : STATUS_LEAKED;
  } finally {
    orphans?.stop();
    if (redactor !== undefined) await reportLeaks(session, redactor.leaks(), options, watch, warn);
    redactor?.end();
  }
}

function superviseWith(
  { child, libc }: Prepared,
  redactor: LateRedactor | undefined,
  terminal: TerminalSupervisor | undefined,
  around: Supervision,
): Promise<number> {
  if (redactor === undefined) return supervise(child, NOT_REDACTED, around);
  const filters: Filters = (stream) => redactor.stream(stream);
  if (terminal !== undefined) return terminal.supervise(child, filters, around);
  return supervise(child, redactedOutputs(libc, filters, around), around);
}

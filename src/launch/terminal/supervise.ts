import type { ChildProcess } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { isatty, ReadStream } from "node:tty";
import { systemCode } from "../../vault-error.ts";
import {
  type Child,
  RESERVED_DESCRIPTOR,
  type Streams,
  type Supervision,
  startProcess,
  stdioOf,
} from "../child.ts";
import { requireExecutable } from "../find-executable.ts";
import { childrenOf, killTree, stateOf } from "../process-tree.ts";
import { listen } from "../signals.ts";
import { RedactedStream } from "../stream.ts";
import { untilEnd } from "../supervise.ts";
import { Input } from "./input.ts";
import type { Libc } from "./libc.ts";
import { UserTerminal } from "./user-terminal.ts";

// Holds the child by a pseudo-terminal. It stands on a terminal of its own, in a session of its own, whose output we read
// and redact and whose input is what the user types. Three things make that as if we were not there:
//
//  - A shell leads the session and runs the child as its foreground job. The child's own parent cannot be us: a program
//    whose parent is in another session cannot be stopped from the keyboard, and Ctrl-Z would do nothing. When the job
//    stops, the shell says so by SIGURG (which nobody minds who does not listen), we stop as well, and when we are
//    continued, so is it. The shell starts the child by `exec` in a child of its own, so the command is never a builtin.
//  - The user's terminal passes keys on as they are, while we are in its foreground (user-terminal.ts).
//  - A stream that is no terminal stays what it is: standard input goes to the child as it came, and a standard error
//    that leads elsewhere is a pipe of its own.

const FORWARDED: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
const STOPS: readonly NodeJS.Signals[] = ["SIGTSTP", "SIGURG"];
const SHELL = "/bin/sh";
const [STDIN, STDOUT, STDERR] = [0, 1, 2];
const POLL_MS = 2;
const MAX_POLLS = 500;
const BACKGROUND_POLL_MS = 100;

// The shell keeps the child's standard error under this number, while its own talk ("Killed", …) goes nowhere.
const KEPT = RESERVED_DESCRIPTOR;

const LEADER = `
exec 2>/dev/null
(exec "$@" 2>&${KEPT} ${KEPT}>&-)
set -- $?
while [ $1 -gt 146 ] && jobs %% >/dev/null; do
  kill -URG $PPID
  kill -STOP $$
  fg >/dev/null
  set -- $?
done
exit $1
`;

/**
 * Runs the child to its end on a pseudo-terminal, its output passing through the filter `terminal`.
 *
 * @returns its exit status, 128 + n where signal n ended it.
 * @throws {SpawnFailure} when no child was started.
 */
export async function superviseOnTerminal(child: Child, around: Supervision, libc: Libc): Promise<number> {
  requireExecutable(child);
  const env = throughTheShell(child.env, around.warn);
  const ours = libc.openPseudoTerminal();
  const theirs = openSync(ours.path, constants.O_RDWR | constants.O_NOCTTY);
  const user = UserTerminal.find(libc, [STDOUT, STDIN]);
  if (user !== undefined) libc.setModes(theirs, user.modes);
  const size = user?.size;
  if (size !== undefined) libc.setWindowSize(theirs, size);

  const session = new Session(around, libc, ours.fd, user, child.env.PATH);
  try {
    const leader = await start({ ...child, env }, theirs, ours.path).finally(() => closeSync(theirs));
    return await session.run(leader);
  } finally {
    session.end();
  }
}

/** What a shell passes on of an environment: variables with the names of variables. */
function throughTheShell(env: Child["env"], warn: (text: string) => void): Child["env"] {
  const names = Object.keys(env);
  const lost = names.filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (lost.length === 0) return env;
  warn(`not passed on, as no shell does (--tty pipe passes them on): ${lost.join(", ")}`);
  const passed: Record<string, string> = Object.create(null);
  for (const name of names) if (!lost.includes(name)) passed[name] = env[name] ?? "";
  return passed;
}

function start(child: Child, theirs: number, path: string): Promise<ChildProcess> {
  const { command, cwd, env, descriptors } = child;
  const stdin = isatty(STDIN) ? theirs : "inherit";
  const stderr = isatty(STDOUT) && isatty(STDERR) ? theirs : "pipe";
  const stdio = stdioOf<number | "inherit" | "pipe">([stdin, theirs, stderr], descriptors);
  // The first terminal that the leader of a session opens becomes the session's own. A shell looks for it, and some
  // of them on standard error, when it starts with job control (-m), so it starts again.
  const script = `: <>${path}; exec ${KEPT}>&2 2>${path}; exec ${SHELL} -m -c "$0" vault-run "$@"`;
  const args = ["-c", script, LEADER, ...command];
  return startProcess(SHELL, args, { cwd, env: { ...env }, stdio, detached: true }, command[0]);
}

/** What passes between the user's terminal and the child's while the child runs. */
class Session {
  readonly #around: Supervision;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #user: UserTerminal | undefined;
  readonly #guard: { release(): void } | undefined;
  readonly #input: Input | undefined;
  readonly #waiting: NodeJS.Signals[] = [];
  readonly #listening: { stop(): void };
  #stops: { stop(): void };
  #leader: ChildProcess | undefined;
  #background: NodeJS.Timeout | undefined;

  constructor(
    around: Supervision,
    libc: Libc,
    fd: number,
    user: UserTerminal | undefined,
    path: string | undefined,
  ) {
    this.#around = around;
    this.#libc = libc;
    this.#fd = fd;
    this.#user = user;
    this.#guard = user?.guard(path);
    this.#input = user === undefined ? undefined : inputOf(around.streams, fd);
    this.#listening = listen(around.signals, [...FORWARDED, "SIGWINCH", "SIGCONT"], (signal) =>
      this.#hear(signal),
    );
    this.#stops = this.#listenForStops();
    this.#enter();
  }

  async run(leader: ChildProcess): Promise<number> {
    const { streams, filter, warn } = this.#around;
    this.#leader = leader;
    for (const signal of this.#waiting.splice(0)) this.#forward(signal);
    this.#around.kill.addEventListener("abort", () => {
      if (leader.pid !== undefined) killTree(leader.pid);
    });
    const output = new ReadStream(this.#fd);
    const passed = [new RedactedStream(output, streams.stdout, filter("terminal"), warn)];
    if (leader.stderr !== null) {
      passed.push(new RedactedStream(leader.stderr, streams.stderr, filter("stderr"), warn));
    }
    return untilEnd(leader, passed);
  }

  end(): void {
    clearTimeout(this.#background);
    this.#listening.stop();
    this.#stops.stop();
    this.#input?.end();
    this.#user?.leave();
    this.#guard?.release();
  }

  #hear(signal: NodeJS.Signals): void {
    if (signal === "SIGWINCH") this.#resize();
    else if (signal === "SIGCONT") this.#enter();
    else this.#forward(signal);
  }

  #listenForStops(): { stop(): void } {
    return listen(this.#around.signals, STOPS, (signal) => {
      if (signal === "SIGTSTP") this.#forward(signal);
      else void this.#suspend();
    });
  }

  /**
   * Takes the user's terminal if it is ours to take; from then on every key goes to the child. Nothing says when a job
   * that runs in the background is brought to the foreground, so until then it is looked for.
   */
  #enter(): void {
    clearTimeout(this.#background);
    if (this.#user === undefined) return;
    if (this.#user.enter()) this.#input?.start();
    else {
      this.#input?.stop();
      this.#background = setTimeout(() => this.#enter(), BACKGROUND_POLL_MS);
    }
    this.#resize();
  }

  #resize(): void {
    const size = this.#user?.size;
    if (size !== undefined) this.#libc.setWindowSize(this.#fd, size);
  }

  /**
   * To the child alone, as a signal sent to it would be; a hangup to all of its group, as from a terminal that goes away.
   * One that comes before it is there waits for it.
   */
  #forward(signal: NodeJS.Signals): void {
    const pid = this.#leader?.pid;
    if (pid === undefined) {
      this.#waiting.push(signal);
      return;
    }
    const [job] = childrenOf(pid);
    if (job !== undefined) send(signal === "SIGHUP" ? -job : job, signal);
    else if (stateOf(pid) !== undefined) setTimeout(() => this.#forward(signal), POLL_MS);
  }

  /** The child has stopped: so do we, with all of our own job, as if the terminal had stopped us. */
  async #suspend(): Promise<void> {
    const leader = this.#leader?.pid;
    if (leader === undefined) return;
    for (let polls = 0; stateOf(leader) !== "T" && polls < MAX_POLLS; polls++) await sleep(POLL_MS);
    if (stateOf(leader) !== "T") return;
    this.#input?.stop();
    this.#user?.leave();
    this.#stops.stop();
    kill(0, "SIGTSTP");
    // Here again once we were continued.
    await sleep(0);
    this.#stops = this.#listenForStops();
    this.#enter();
    send(leader, "SIGCONT");
  }
}

/** What is typed: standard input where it is the terminal, otherwise the terminal itself. */
function inputOf(streams: Streams, to: number): Input | undefined {
  if (isatty(STDIN)) return new Input(streams.stdin, to);
  try {
    return new Input(new ReadStream(openSync("/dev/tty", constants.O_RDONLY | constants.O_NOCTTY)), to);
  } catch {
    // It is not the terminal that controls us: nothing can be typed to us there.
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch (error) {
    // It may have ended this very moment.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

import type { ChildProcess } from "node:child_process";
import { constants, openSync } from "node:fs";
import { isatty, ReadStream } from "node:tty";
import { sleep } from "../../vault/time.ts";
import type { Filters, Streams, Supervision } from "../child.ts";
import type { Libc, Modes, WindowSize } from "../libc.ts";
import { childrenOf, isRunning, killTree, sendTo, stateOf } from "../process-tree.ts";
import { SETTLE_MS } from "../relay.ts";
import { ENDING, FORWARDED, listen, pendingSignals, send } from "../signals.ts";
import { RedactedStream } from "../stream.ts";
import { untilEnd } from "../supervise.ts";
import { Input } from "./input.ts";
import type { UserTerminal } from "./user-terminal.ts";

const STOPS: readonly NodeJS.Signals[] = ["SIGTSTP", "SIGURG"];
const STDIN = 0;
/** Ourselves and all of our job. */
const OWN_GROUP = 0;
const POLL_MS = 2;
const MAX_POLLS = 500;
const BACKGROUND_POLL_MS = 100;
const CONTINUED_MS = 100;

/** What passes between the user's terminal and the child's while the child runs. */
export class Session {
  readonly #around: Supervision;
  readonly #filters: Filters;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #user: UserTerminal | undefined;
  /** The modes of the child's terminal where they are to become the user's, once those can be known. */
  #unset: Modes | undefined;
  readonly #input: Input | undefined;
  readonly #waiting: NodeJS.Signals[] = [];
  readonly #listening: { stop(): void };
  #stops: { stop(): void };
  #leader: ChildProcess | undefined;
  #output: ReadStream | undefined;
  #passed: readonly RedactedStream[] = [];
  #isEnded = false;
  #giveUp: (() => void) | undefined;
  #isSuspended = false;
  #size: WindowSize | undefined;
  #background: NodeJS.Timeout | undefined;

  constructor(around: Supervision, filters: Filters, libc: Libc, fd: number, user: UserTerminal | undefined) {
    this.#around = around;
    this.#filters = filters;
    this.#libc = libc;
    this.#fd = fd;
    this.#user = user;
    this.#unset = user !== undefined && user.modes === undefined ? libc.modes(fd) : undefined;
    this.#input = user === undefined ? undefined : inputOf(around.streams, fd, () => this.#hangUp());
    this.#listening = listen(around.signals, [...FORWARDED, "SIGWINCH", "SIGCONT"], (signal) =>
      this.#hear(signal),
    );
    this.#stops = this.#listenForStops();
    this.#enter();
  }

  async run(leader: ChildProcess): Promise<number> {
    const { streams, started, warn } = this.#around;
    this.#leader = leader;
    if (leader.pid !== undefined) started(leader.pid);
    for (const signal of this.#waiting.splice(0)) this.#forward(signal);
    this.#around.kill.addEventListener("abort", () => killTree(leader));
    this.#output = new ReadStream(this.#fd);
    const passed = [new RedactedStream(this.#output, streams.stdout, this.#filters("terminal"), warn)];
    if (leader.stderr !== null) {
      passed.push(new RedactedStream(leader.stderr, streams.stderr, this.#filters("stderr"), warn));
    }
    this.#passed = passed;
    return untilEnd(leader, passed, (giveUp) => {
      this.#giveUp = giveUp;
    });
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#background);
    this.#listening.stop();
    this.#stops.stop();
    this.#input?.end();
    this.#user?.end();
  }

  #hear(signal: NodeJS.Signals): void {
    if (this.#giveUp !== undefined && ENDING.has(signal)) this.#giveUp();
    if (signal === "SIGCONT") this.#enter();
    // What the kernel or the leading shell tells the child anyway is not told twice.
    const isTold = signal === "SIGWINCH" ? this.#resize() : signal === "SIGCONT" && this.#isSuspended;
    // The kernel tells the child of the end of its terminal.
    if (signal === "SIGHUP" && this.#user?.isGone === true) this.#hangUp();
    else if (!isTold) this.#forward(signal);
  }

  /** The user's terminal is gone, so the child's goes too: whoever reads it reads its end. */
  #hangUp(): void {
    if (!this.#isEnded) this.#output?.destroy();
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
    if (this.#user.enter()) {
      this.#takeModes(this.#user.modes);
      this.#input?.start();
    } else {
      this.#input?.stop();
      this.#background = setTimeout(() => this.#enter(), BACKGROUND_POLL_MS);
    }
    this.#resize();
  }

  /** What started in the background gets the user's modes with the foreground, unless it has set its own. */
  #takeModes(modes: Modes | undefined): void {
    const unset = this.#unset;
    this.#unset = undefined;
    if (unset === undefined || modes === undefined) return;
    if (this.#libc.modes(this.#fd)?.equals(unset) === true) this.#libc.setModes(this.#fd, modes);
  }

  /** Whether the size has changed, which the kernel says to all on the child's terminal. */
  #resize(): boolean {
    const size = this.#user?.size;
    if (size === undefined || this.#size?.equals(size) === true) return false;
    this.#size = size;
    this.#libc.setWindowSize(this.#fd, size);
    return true;
  }

  /**
   * To the child alone, as a signal sent to it would be; a hangup to all of its group, as from a terminal that goes away.
   * One that comes before it is there waits for it.
   */
  #forward(signal: NodeJS.Signals): void {
    const leader = this.#leader;
    if (leader?.pid === undefined) {
      this.#waiting.push(signal);
      return;
    }
    if (!isRunning(leader)) return;
    const [job] = childrenOf(leader.pid);
    if (job === undefined) setTimeout(() => this.#forward(signal), POLL_MS);
    else sendTo(job, signal, signal === "SIGHUP" ? "group" : "process");
  }

  /** The child has stopped: so do we, with all of our own job, as if the terminal had stopped us. */
  async #suspend(): Promise<void> {
    const leader = this.#leader;
    const pid = leader?.pid;
    if (leader === undefined || pid === undefined) return;
    const isStopped = () => isRunning(leader) && stateOf(pid) === "T";
    for (let polls = 0; !isStopped() && polls < MAX_POLLS; polls++) await sleep(POLL_MS);
    if (!isStopped()) return;
    // What it showed last, to put the screen right for instance, is shown before the shell's prompt.
    const settled = Promise.all(this.#passed.map((stream) => stream.settle()));
    await Promise.race([settled, sleep(SETTLE_MS)]);
    this.#input?.stop();
    this.#user?.leave();
    this.#stops.stop();
    this.#isSuspended = true;
    send(OWN_GROUP, "SIGTSTP");
    // Here again once we were continued.
    await pendingSignals();
    this.#stops = this.#listenForStops();
    this.#enter();
    if (isRunning(leader)) send(pid, "SIGCONT");
    // Our own may be heard a little later.
    setTimeout(() => {
      this.#isSuspended = false;
    }, CONTINUED_MS);
  }
}

/** What is typed: standard input where it is the terminal, otherwise the terminal itself. */
function inputOf(streams: Streams, to: number, gone: () => void): Input | undefined {
  if (isatty(STDIN)) return new Input(streams.stdin, to, gone);
  try {
    const terminal = new ReadStream(openSync("/dev/tty", constants.O_RDONLY | constants.O_NOCTTY));
    return new Input(terminal, to, gone);
  } catch {
    // It is not the terminal that controls us: nothing can be typed to us there.
    return undefined;
  }
}

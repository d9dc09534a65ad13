import { sleep } from "../vault/time.ts";
import type { SignalSource } from "./child.ts";
import { stateOf } from "./process-tree.ts";
import { ENDING, FORWARDED, kernelDelivers, listen, send } from "./signals.ts";

// What passes between us and a child that has no terminal of its own: signals to it, each once, and its stops to us, so
// that whoever controls the job sees it stop, as without us.

const HEARD: readonly NodeJS.Signals[] = [
  ...FORWARDED,
  "SIGWINCH",
  "SIGURG",
  "SIGTSTP",
  "SIGCONT",
  "SIGCHLD",
];

/** Output whose reader has stopped as well waits until both go on. */
export const SETTLE_MS = 100;

export class Relay {
  readonly #leadsOwnGroup: boolean;
  readonly #listening: { stop(): void };
  readonly #waiting: NodeJS.Signals[] = [];
  #child: number | undefined;
  #settle: (() => Promise<unknown>) | undefined;
  #isNew = true;
  #giveUp: (() => void) | undefined;

  /**
   * Listens from now on: a signal that comes while the child starts must reach it, not end us and leave it alone.
   *
   * @param leadsOwnGroup whether the child leads a process group, and we are no part of it. Otherwise it shares ours, and
   *   the terminal that controls it.
   */
  constructor(source: SignalSource, leadsOwnGroup: boolean) {
    this.#leadsOwnGroup = leadsOwnGroup;
    this.#listening = listen(source, HEARD, (signal) => this.#hear(signal));
  }

  /** @param settle passes on what the child has written by now. */
  begin(child: number, settle: () => Promise<unknown>): void {
    this.#child = child;
    this.#settle = settle;
    // What comes to be heard until then may have come before the child was there.
    setImmediate(() => {
      this.#isNew = false;
    });
    for (const signal of this.#waiting.splice(0)) this.#hear(signal);
  }

  /** From now on, a signal that would have ended the child makes us give up what is left to do. */
  childEnded(giveUp: () => void): void {
    this.#giveUp = giveUp;
  }

  end(): void {
    this.#listening.stop();
  }

  #hear(signal: NodeJS.Signals): void {
    if (this.#giveUp !== undefined) {
      if (ENDING.has(signal)) this.#giveUp();
    } else if (this.#child === undefined) this.#waiting.push(signal);
    else if (this.#leadsOwnGroup) {
      if (signal !== "SIGCHLD") send(-this.#child, signal);
    } else if (signal === "SIGCHLD") {
      if (stateOf(this.#child) === "T") void this.#stop(this.#child);
    } else if (signal === "SIGCONT") {
      // From a shell it went to all of the job. From elsewhere it came to us alone, and we stand for the child.
      if (stateOf(this.#child) === "T") send(this.#child, signal);
    } else if (this.#isNew || !kernelDelivers(signal)) send(this.#child, signal);
  }

  /** The child has stopped, so we do: the shell whose job we are then takes its terminal back. */
  async #stop(child: number): Promise<void> {
    await Promise.race([this.#settle?.(), sleep(SETTLE_MS)]);
    // It may have ended meanwhile, and its number be another's.
    if (this.#giveUp === undefined && stateOf(child) === "T") send(process.pid, "SIGSTOP");
  }
}

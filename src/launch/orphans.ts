import type { SignalSource } from "./child.ts";
import type { Libc } from "./libc.ts";
import { listen } from "./signals.ts";

const GATHER_MS = 10;

/**
 * As the first process of a container we are the parent of every process whose own parent has ended, and of none of them
 * does node know: they are waited for here. Our own child is left to node, which needs its exit status.
 */
export class Orphans {
  readonly #libc: Libc;
  readonly #listening: { stop(): void };
  #child: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(libc: Libc, signals: SignalSource) {
    this.#libc = libc;
    this.#listening = listen(signals, ["SIGCHLD"], () => this.#gather());
  }

  except(child: number): void {
    this.#child = child;
  }

  stop(): void {
    this.#listening.stop();
    clearTimeout(this.#timer);
  }

  /** One signal may stand for many processes that ended, and comes before node has looked for its own child. */
  #gather(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#reap();
    }, GATHER_MS);
  }

  #reap(): void {
    let pid = this.#libc.findZombie();
    for (; pid !== undefined && pid !== this.#child; pid = this.#libc.findZombie()) this.#libc.reap(pid);
    // Others may wait behind our own, which show once node has taken that one.
    if (pid !== undefined) this.#gather();
  }
}

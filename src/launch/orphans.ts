import type { SignalSource } from "./child.ts";
import type { Libc } from "./libc.ts";
import { listen } from "./signals.ts";

const GATHER_MS = 10;

/**
 * As the first process of a container we are the parent of every process whose own parent has ended, and of none of them
 * does node know: they are waited for here. Our own children are left to node, which needs their exit statuses.
 */
export class Orphans {
  readonly #libc: Libc;
  readonly #listening: { stop(): void };
  readonly #children = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(libc: Libc, signals: SignalSource) {
    this.#libc = libc;
    this.#listening = listen(signals, ["SIGCHLD"], () => this.#gather());
  }

  /** @param warn told where nobody can wait for them. */
  static async begin(signals: SignalSource, warn: (text: string) => void): Promise<Orphans | undefined> {
    const { Libc } = await import("./libc.ts");
    const libc = await Libc.load();
    if (typeof libc !== "string") return new Orphans(libc, signals);
    warn(`processes without a parent are not waited for: ${libc}`);
    return undefined;
  }

  /** From when it is started to `ended`. */
  except(child: number): void {
    this.#children.add(child);
  }

  /** Node has waited for it: its number may be another's. */
  ended(child: number): void {
    this.#children.delete(child);
  }

  stop(): void {
    this.#listening.stop();
    clearTimeout(this.#timer);
  }

  /** One signal may stand for many processes that ended, and comes before node has looked for its own children. */
  #gather(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#reap();
    }, GATHER_MS);
  }

  #reap(): void {
    let pid = this.#libc.findZombie();
    for (; pid !== undefined && !this.#children.has(pid); pid = this.#libc.findZombie()) this.#libc.reap(pid);
    // Others may wait behind our own, which show once node has taken that one.
    if (pid !== undefined) this.#gather();
  }
}

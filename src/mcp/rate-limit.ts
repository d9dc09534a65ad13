import type { Clock } from "../vault/time.ts";
import { VaultError } from "../vault-error.ts";

const WINDOW_MS = 60_000;

/** How often each secret may be used within a minute. */
export class RateLimit {
  readonly #most: number;
  readonly #now: Clock;
  readonly #uses = new Map<string, number[]>();

  constructor(most: number, now: Clock) {
    this.#most = most;
    this.#now = now;
  }

  /**
   * Counts one use of each, or of none.
   *
   * @throws {VaultError} `rate-limited`
   */
  use(refs: readonly string[]): void {
    const nowMs = this.#now();
    const recent = refs.map((ref): [string, number[]] => {
      const uses = (this.#uses.get(ref) ?? []).filter((at) => at > nowMs - WINDOW_MS);
      if (uses.length >= this.#most) throw this.#refusal(ref, uses, nowMs);
      return [ref, [...uses, nowMs]];
    });
    for (const [ref, uses] of recent) this.#uses.set(ref, uses);
  }

  #refusal(ref: string, [oldest = 0]: readonly number[], nowMs: number): VaultError {
    const seconds = Math.max(1, Math.ceil((oldest + WINDOW_MS - nowMs) / 1000));
    return new VaultError(
      "rate-limited",
      `${ref} was used ${this.#most} times within a minute`,
      `wait ${seconds} s, or do more with one call`,
    );
  }
}

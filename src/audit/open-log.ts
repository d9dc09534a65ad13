import { type Timestamp, timestamp } from "../vault/time.ts";
import type { LineShape, LogRead } from "./finding.ts";
import type { LogSource } from "./source.ts";

/** A log while it is read. */
export class OpenLog {
  readonly source: LogSource;
  /** Its place among all logs. */
  readonly at: number;
  /** How many lines of it were read, empty and torn ones too. */
  lines = 0;
  #verified = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(source: LogSource, at: number) {
    this.source = source;
    this.at = at;
  }

  /** @param at when it was written. */
  countVerified(at: number): void {
    this.#verified++;
    if (at < this.#first) this.#first = at;
    if (at > this.#last) this.#last = at;
  }

  /** Whether what was pushed by one key on one host does not have a line that stands in it. */
  isForeign({ key, host }: LineShape): boolean {
    const { isLocal, key: ownKey = key, host: ownHost = host } = this.source;
    return !isLocal && (key !== ownKey || host !== ownHost);
  }

  read(): LogRead {
    const { name, host, key, isLocal } = this.source;
    return {
      name,
      host: host ?? null,
      key: key ?? null,
      local: isLocal,
      verified: this.#verified,
      first: timeOf(this.#first),
      last: timeOf(this.#last),
    };
  }
}

function timeOf(ms: number): Timestamp | null {
  return Number.isFinite(ms) ? timestamp(ms) : null;
}

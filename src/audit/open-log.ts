import type { AuditLine } from "./event.ts";
import type { LogRead } from "./finding.ts";
import type { LogSource } from "./source.ts";

/** A log while it is read. */
export class OpenLog {
  readonly source: LogSource;
  /** Its place among all logs. */
  readonly at: number;
  /** How many lines of it were read, empty and torn ones too. */
  lines = 0;
  #verified = 0;
  #first: string | undefined;
  #last: string | undefined;

  constructor(source: LogSource, at: number) {
    this.source = source;
    this.at = at;
  }

  countVerified({ time }: AuditLine): void {
    this.#verified++;
    if (this.#first === undefined || time < this.#first) this.#first = time;
    if (this.#last === undefined || time > this.#last) this.#last = time;
  }

  /** Whether what was pushed by one key on one host does not have a line that stands in it. */
  isForeign({ key, host }: AuditLine): boolean {
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
      first: this.#first ?? null,
      last: this.#last ?? null,
    };
  }
}

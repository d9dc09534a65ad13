import type { AuditLine } from "./event.ts";
import type { ReadLine } from "./finding.ts";
import { isPull } from "./reader.ts";

/** That a value was opened, as a verified line says. */
export interface ValueRead {
  readonly at: string;
  readonly host: string;
  readonly action: string;
}

export interface Reads {
  readonly first: ValueRead;
  /** When it was the last time. */
  readonly last: string;
  /** In how many lines. */
  readonly count: number;
}

/** With the line that was counted last: a value may stand in one twice. */
type OpenReads = { -readonly [K in keyof Reads]: Reads[K] } & { line: AuditLine };

/** Which values were opened with which key, as verified lines say: the first time, the last time, and how often. */
export class ValueReads {
  readonly #reads = new Map<string, OpenReads>();

  add({ status, line }: ReadLine): void {
    if (status !== "verified" || !isPull(line.action)) return;
    const { time: at, host, action, key, secrets = [] } = line;
    for (const { valueId } of secrets) {
      const id = `${key} ${valueId}`;
      const known = this.#reads.get(id);
      if (known === undefined) {
        this.#reads.set(id, { first: { at, host, action }, last: at, count: 1, line });
      } else if (known.line !== line) {
        known.line = line;
        known.count++;
        if (at < known.first.at) known.first = { at, host, action };
        if (at > known.last) known.last = at;
      }
    }
  }

  /** @param key a fingerprint. */
  find(key: string, valueId: string): Reads | undefined {
    return this.#reads.get(`${key} ${valueId}`);
  }
}

import type { ReadLine } from "./finding.ts";
import { isPull } from "./reader.ts";

/** That a value was opened, as a verified line says. */
export interface ValueRead {
  readonly at: string;
  readonly host: string;
  readonly action: string;
}

interface Reads {
  first: ValueRead;
  last: string;
  count: number;
}

/** Which values were opened with which key, as verified lines say: the first time, the last time, and how often. */
export class ValueReads {
  readonly #reads = new Map<string, Reads>();

  add({ status, line }: ReadLine): void {
    if (status !== "verified" || !isPull(line.action)) return;
    const { time: at, host, action, key, secrets = [] } = line;
    const ids = new Set(secrets.map(({ valueId }) => `${key} ${valueId}`));
    for (const id of ids) {
      const known = this.#reads.get(id);
      if (known === undefined) {
        this.#reads.set(id, { first: { at, host, action }, last: at, count: 1 });
        continue;
      }
      known.count++;
      if (at < known.first.at) known.first = { at, host, action };
      if (at > known.last) known.last = at;
    }
  }

  /** @param key a fingerprint. */
  find(key: string, valueId: string): Readonly<Reads> | undefined {
    return this.#reads.get(`${key} ${valueId}`);
  }
}

import { timestamp } from "../vault/time.ts";
import type { Alike } from "./alike-lines.ts";
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

type OpenReads = { -readonly [K in keyof Reads]: Reads[K] };

/** Which values were opened with which key, as verified lines say: the first time, the last time, and how often. */
export class ValueReads {
  readonly #reads = new Map<string, OpenReads>();

  /** @param alike verified lines. */
  add({ shape, count, first, last }: Alike): void {
    const { host, action, key, secrets = [] } = shape;
    if (!isPull(action)) return;
    const from = timestamp(first);
    const until = timestamp(last);
    // A value may stand in a line twice.
    for (const valueId of new Set(secrets.map((secret) => secret.valueId))) {
      const id = `${key} ${valueId}`;
      const known = this.#reads.get(id);
      if (known === undefined) {
        this.#reads.set(id, { first: { at: from, host, action }, last: until, count });
      } else {
        known.count += count;
        if (from < known.first.at) known.first = { at: from, host, action };
        if (until > known.last) known.last = until;
      }
    }
  }

  /** @param key a fingerprint. */
  find(key: string, valueId: string): Reads | undefined {
    return this.#reads.get(`${key} ${valueId}`);
  }
}

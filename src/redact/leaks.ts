import type { Count, Encoding, Leak } from "./redactor.ts";

interface Counted extends Leak {
  count: number;
}

export class LeakLedger {
  readonly #leaks = new Map<string, Counted>();

  add(name: string, stream: string, encoding: Encoding): void {
    const key = JSON.stringify([name, stream, encoding]);
    const leak = this.#leaks.get(key);
    if (leak === undefined) this.#leaks.set(key, { name, stream, encoding, count: 1 });
    else leak.count++;
  }

  leaks(): Leak[] {
    return Array.from(this.#leaks.values(), (leak) => ({ ...leak }));
  }

  counts(): Count[] {
    const counts = new Map<string, Omit<Counted, "stream">>();
    for (const { name, encoding, count } of this.#leaks.values()) {
      const key = JSON.stringify([name, encoding]);
      const sum = counts.get(key);
      if (sum === undefined) counts.set(key, { name, encoding, count });
      else sum.count += count;
    }
    return [...counts.values()];
  }
}

import type { AuditLine } from "./event.ts";
import type { Finding, FindingKind, Findings } from "./finding.ts";

/** What a finding says of a line. */
export type LineHead = Pick<AuditLine, "time" | "host" | "action" | "agent" | "key">;

/** Of each kind. A log that somebody filled with nonsense must not fill the memory too. */
const MOST_NAMED = 1000;

export class FindingList {
  readonly #counts = new Map<FindingKind, number>();
  readonly #named: Finding[] = [];

  /** @param line undefined where there is none to read. */
  add(kind: FindingKind, log: string, number: number, line: LineHead | undefined): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count > MOST_NAMED) return;
    this.#named.push({
      kind,
      log,
      number,
      time: line?.time ?? null,
      host: line?.host ?? null,
      action: line?.action ?? null,
      agent: line?.agent ?? null,
      key: line?.key ?? null,
    });
  }

  /** In the order of logs and lines. */
  list(): Findings {
    const named = this.#named.toSorted((a, b) => {
      return a.log === b.log ? a.number - b.number : a.log < b.log ? -1 : 1;
    });
    return { counts: Object.fromEntries(this.#counts), named };
  }
}

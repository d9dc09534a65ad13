import type { AuditLine } from "./event.ts";
import type { FindingList } from "./finding-list.ts";
import { type LineIndex, Mark } from "./line-index.ts";
import type { LogSource } from "./source.ts";

// Whether the line that each was written behind is there. In this machine's log it stands above. In a pushed log are the
// lines of one key alone: it may stand in that of another key of the same host, which is read at the same time. So a line
// that is not there yet is looked for again at the end.

/** Who found an empty log begins it, and several may at the same moment. */
const BEGINNING_MS = 10_000;
/** How many lines may wait to be looked for again. Of more, the older half is, before the end. */
const MOST_WAITING = 100_000;

interface Waiting {
  readonly log: number;
  readonly number: number;
  readonly line: AuditLine;
  readonly prev: number;
}

export class Chain {
  readonly #index: LineIndex;
  readonly #findings: FindingList;
  readonly #logs: readonly LogSource[];
  /** By log: when its first line was written. */
  readonly #begun: number[] = [];
  #waiting: Waiting[] = [];

  constructor(index: LineIndex, findings: FindingList, logs: readonly LogSource[]) {
    this.#index = index;
    this.#findings = findings;
    this.#logs = logs;
  }

  /** Each line of a log, in its order, before it is marked as seen itself. */
  follow(log: number, number: number, line: AuditLine): void {
    const source = this.#logs[log];
    if (source === undefined) throw new TypeError("a line of no log");
    if (line.prev === undefined) {
      const at = Date.parse(line.time);
      this.#begun[log] ??= at;
      if (at - this.#begun[log] > BEGINNING_MS) this.#findings.add("begun-anew", source.name, number, line);
      return;
    }
    this.#begun[log] ??= Date.parse(line.time);
    const prev = this.#index.numberOf(line.prev);
    if (prev === undefined) this.#findings.add("gap", source.name, number, line);
    else if (!this.#index.has(prev, source.isLocal ? Mark.local : Mark.seen))
      this.#wait({ log, number, line, prev });
  }

  /** Call when all logs are read. */
  end(): void {
    for (const waiting of this.#waiting.splice(0)) this.#settle(waiting);
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length < MOST_WAITING) return;
    for (const old of this.#waiting.splice(0, MOST_WAITING / 2)) this.#settle(old);
  }

  #settle({ log, number, line, prev }: Waiting): void {
    const source = this.#logs[log];
    if (source === undefined) throw new TypeError("a line of no log");
    const index = this.#index;
    if (!index.has(prev, source.isLocal ? Mark.local : Mark.seen)) {
      this.#findings.add("gap", source.name, number, line);
    } else if (source.isLocal || index.logOf(prev) === log) {
      this.#findings.add("out-of-order", source.name, number, line);
    }
  }
}

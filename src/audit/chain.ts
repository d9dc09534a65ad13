import type { AuditLine } from "./event.ts";
import type { LineView } from "./finding.ts";
import type { FindingList, LineHead } from "./finding-list.ts";
import { type LineIndex, Mark } from "./line-index.ts";
import type { LogSource } from "./source.ts";

// Whether the line that each was written behind is there. In a file of this machine's log it stands above; it may stand in
// any other file, for whoever moves one away does not wait for those who write. In a pushed log are the lines of one key
// alone: it may stand in that of another key of the same host, which is read at the same time. So a line that is not there
// yet is waited for.

/** Who found an empty log begins it, and several may at the same moment. */
const BEGINNING_MS = 10_000;
/** How many may wait, and how many more for each log: its first block is read before the others' are. Of more, half is given up. */
const MOST_WAITING = 100_000;
const MOST_WAITING_IN_LOG = 400;

/** A line's number in the index; undefined where it is no line's digest. */
export type Prev = number | "none" | undefined;

interface Place {
  readonly log: number;
  readonly file: number;
}

interface Waiting extends Place {
  readonly number: number;
  readonly line: LineHead;
}

export class Chain {
  readonly #index: LineIndex;
  readonly #findings: FindingList;
  readonly #logs: readonly LogSource[];
  /** By log and vault, which several may share: when the first line was written. */
  readonly #begun: Map<string, number>[] = [];
  /** By the line that they were written behind. */
  readonly #waiting = new Map<number, Waiting[]>();
  readonly #mostWaiting: number;
  #waitingCount = 0;

  constructor(index: LineIndex, findings: FindingList, logs: readonly LogSource[]) {
    this.#index = index;
    this.#findings = findings;
    this.#logs = logs;
    this.#mostWaiting = MOST_WAITING + logs.length * MOST_WAITING_IN_LOG;
  }

  /** Each line of a log, in its order, before it is marked as seen itself, and what it was written behind. */
  follow(at: Place, number: number, found: LineView, prev: Prev): void {
    const { name, isLocal } = this.#source(at);
    const begun = this.#begin(at, found);
    if (prev === "none") {
      if (found.at - begun > BEGINNING_MS) this.#findings.add("begun-anew", name, number, found.line);
    } else if (prev === undefined) {
      this.#findings.add("gap", name, number, found.line);
    } else if (!this.#index.has(prev, isLocal ? Mark.local : Mark.seen)) {
      this.#wait(prev, { ...at, number, line: headOf(found.line) });
    }
  }

  #begin({ log }: Place, { at, shape }: LineView): number {
    this.#begun[log] ??= new Map();
    const begun = this.#begun[log].get(shape.vault);
    if (begun === undefined) this.#begun[log].set(shape.vault, at);
    return begun ?? at;
  }

  /** A line was seen that some may wait for. */
  saw(at: Place, index: number): void {
    const waiting = this.#waiting.get(index);
    if (waiting === undefined) return;
    this.#forget(index, waiting);
    for (const one of waiting) {
      if (one.log === at.log && one.file === at.file)
        this.#findings.add("out-of-order", this.#source(one).name, one.number, one.line);
      else if (this.#source(one).isLocal && !this.#source(at).isLocal) this.#wait(index, one);
    }
  }

  /** Call when all logs are read. */
  end(): void {
    for (const [index, waiting] of this.#waiting) this.#giveUp(index, waiting);
  }

  #wait(prev: number, waiting: Waiting): void {
    const others = this.#waiting.get(prev);
    if (others === undefined) this.#waiting.set(prev, [waiting]);
    else others.push(waiting);
    if (++this.#waitingCount < this.#mostWaiting) return;
    for (const [index, oldest] of this.#waiting) {
      if (this.#waitingCount <= this.#mostWaiting / 2) break;
      this.#giveUp(index, oldest);
    }
  }

  #giveUp(index: number, waiting: readonly Waiting[]): void {
    this.#forget(index, waiting);
    for (const one of waiting) this.#findings.add("gap", this.#source(one).name, one.number, one.line);
  }

  #forget(index: number, waiting: readonly Waiting[]): void {
    this.#waiting.delete(index);
    this.#waitingCount -= waiting.length;
  }

  #source({ log }: Place): LogSource {
    const source = this.#logs[log];
    if (source === undefined) throw new TypeError("a line of no log");
    return source;
  }
}

/** Thousands may wait: not the whole line. */
function headOf({ time, host, action, agent, key }: AuditLine): LineHead {
  return { time, host, action, key, ...(agent === undefined ? {} : { agent }) };
}

import { AlikeLines } from "../../audit/alike-lines.ts";
import type { Findings, LogRead, ReadLine } from "../../audit/finding.ts";
import { ValueReads } from "../../audit/value-reads.ts";
import { filterOf, type LineFilter } from "./filter.ts";
import type { OpenedLogs } from "./open-logs.ts";
import { Tally } from "./tally.ts";

// What the logs say, in one reading and in numbers. Only verified lines count.

/** Who acted: an agent, or an owner by name (by the fingerprint of its key, where nothing names it). */
export interface Actor {
  readonly agent: string | null;
  readonly owner: string | null;
}

/** How often someone was given a secret, in how many lines. */
export interface PullTotal extends Actor {
  readonly group: string;
  readonly name: string;
  readonly pulls: number;
  readonly first: string;
  readonly last: string;
  /** Where, in order. */
  readonly hosts: readonly string[];
}

/** The same on one day, in UTC. */
export interface DayTotal extends Actor {
  readonly group: string;
  readonly name: string;
  /** `2026-11-28` */
  readonly day: string;
  readonly pulls: number;
}

/** What was masked in whose output, in one stream and encoding. */
export interface LeakTotal extends Actor {
  readonly group: string;
  readonly name: string;
  readonly stream: string;
  readonly encoding: string;
  /** How often it was masked. */
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** How often someone was refused for one reason. */
export interface DenialTotal extends Actor {
  /** The error's code. */
  readonly reason: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** How many lines there are of an action. */
export interface ActionTotal {
  readonly action: string;
  readonly lines: number;
}

/** What the lines say that a filter lets through. Each list is in the order of its names. */
export interface AuditAnswers {
  /** Every log that was read, whatever the filter. */
  readonly logs: readonly LogRead[];
  /** Of all lines, whatever the filter. */
  readonly findings: Findings;
  readonly actions: readonly ActionTotal[];
  readonly totals: readonly PullTotal[];
  /** Empty unless they were asked for. */
  readonly days: readonly DayTotal[];
  readonly leaks: readonly LeakTotal[];
  readonly denials: readonly DenialTotal[];
  /** Which values were pulled with which key. */
  readonly reads: ValueReads;
}

export interface Asked {
  readonly filter?: LineFilter;
  /** Whether `days` is wanted. */
  readonly withDays?: boolean;
  /** Is given all lines that the filter lets through, verified or not, a batch at a time. */
  readonly tell?: (lines: readonly ReadLine[]) => Promise<void>;
  /** Is given how many lines were read, now and then. */
  readonly progress?: (lines: number) => void;
}

/** Reads all logs once. */
export async function auditAnswers(
  { reading, readers }: OpenedLogs,
  { filter = {}, withDays = false, tell, progress }: Asked = {},
): Promise<AuditAnswers> {
  const tally = new Tally(readers, filter, withDays);
  const reads = new ValueReads();
  const alike = new AlikeLines((lines) => {
    tally.add(lines);
    reads.add(lines);
  });
  const passes = filterOf(filter);
  let read = 0;
  for await (const batch of reading.lines()) {
    read += batch.length;
    const lines = batch.filter(passes);
    for (const line of lines) if (line.status === "verified") alike.add(line);
    if (lines.length > 0) await tell?.(lines);
    progress?.(read);
  }
  alike.end();
  return { ...(await reading.end()), ...tally.list(), reads };
}

import type { Findings, LogRead } from "../../audit/finding.ts";

// What the logs say, in numbers. Only verified lines count.

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
  readonly days: readonly DayTotal[];
  readonly leaks: readonly LeakTotal[];
  readonly denials: readonly DenialTotal[];
}

/** What an agent could have read of a secret, now or before, beside what it did read. */
export interface CouldRead {
  readonly agent: string;
  readonly group: string;
  readonly name: string;
  /** Since when it could read a value of it. */
  readonly since: string;
  /** Whether it may read the value of today. */
  readonly now: boolean;
  /** How many values it could have read, and how many of these a line says were opened for it. */
  readonly values: number;
  readonly valuesRead: number;
  readonly pulls: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** A secret that nobody pulled for some time. */
export interface Unpulled {
  readonly group: string;
  readonly name: string;
  readonly setAt: string;
  /** When it was pulled last; null where no line says that it ever was. */
  readonly last: string | null;
}

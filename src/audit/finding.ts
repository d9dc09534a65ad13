import type { AuditLine } from "./event.ts";

// What is said of a line, and of what should stand beside it. The end of a log cannot be vouched for from within: whoever
// cuts lines off there leaves a shorter log that holds, unless some of them were pushed.

export type LineStatus =
  | "verified"
  /** Signed by nobody this vault knows of. */
  | "unknown-key"
  /** Changed, or not in its one spelling. */
  | "bad-signature"
  /** The signature holds, but this key may not say this: an agent's in another's name, or of an owner's change. */
  | "wrong-signer";

export type FindingKind =
  | Exclude<LineStatus, "verified">
  /** A copy: stands in this log already. */
  | "repeated"
  /** Of another vault, or changed to seem so, in a log that is this vault's alone. */
  | "other-vault"
  /** Stands in what another key or another host pushed. */
  | "misplaced"
  /** Bytes that are no line: one that a kill or a full disk cut off, or one that was damaged. */
  | "torn"
  /** The line that this one was written behind is in no log of its host. */
  | "gap"
  /** Was written behind no line, as the first of a log, and is not the first of this one. */
  | "begun-anew"
  /** The line that this one was written behind stands after it. */
  | "out-of-order"
  /** Was pushed from here, and is not in this machine's log. */
  | "missing-here";

/** What is wrong with one line, or before it. */
export interface Finding {
  readonly kind: FindingKind;
  /** The name of the log that it stands in. */
  readonly log: string;
  /** Which line of that log it is, from 1. */
  readonly number: number;
  /** As the line says; null where it is torn. Only a verified line is to be believed. */
  readonly time: string | null;
  readonly host: string | null;
  readonly action: string | null;
  readonly agent: string | null;
  readonly key: string | null;
}

/** What questions ask of a line, but its time. Many lines have the very same. */
export type LineShape = Pick<
  AuditLine,
  "vault" | "action" | "key" | "host" | "uid" | "agent" | "group" | "reason" | "secrets" | "leaks"
>;

/** A line that is at hand, or that is parsed when it is asked for: most questions need its shape and time alone. */
export interface LineView {
  readonly shape: LineShape;
  /** When it was written, in milliseconds. */
  readonly at: number;
  readonly line: AuditLine;
}

/** A line as it was read, with what can be said of it alone. */
export interface ReadLine extends LineView {
  readonly status: LineStatus;
}

/** One log, as far as it was read. */
export interface LogRead {
  readonly name: string;
  readonly host: string | null;
  readonly key: string | null;
  readonly local: boolean;
  /** Lines of this vault that verify, and the times of the earliest and the latest of them. */
  readonly verified: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** What is to be said of the lines and of the logs that they stand in. */
export interface Findings {
  /** How many there are of each kind, where there are any. */
  readonly counts: Readonly<Partial<Record<FindingKind, number>>>;
  /** The first of each kind, by name; a thousand at most. */
  readonly named: readonly Finding[];
}

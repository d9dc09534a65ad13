import type { Secret } from "../../vault/secret.ts";
import type { Timestamp } from "../../vault/time.ts";

/** What a file to import holds. */
export interface Source {
  readonly entries: readonly Entry[];
  readonly skipped: readonly Skipped[];
  /** Names that stand there more than once; the last one counts. */
  readonly repeated: readonly string[];
}

export interface Entry {
  /** The group the source has it in, where it has groups. */
  readonly group?: string;
  /** As the source spells it. */
  readonly name: string;
  readonly value: Secret;
  readonly expiresAt?: Timestamp | undefined;
}

export interface Skipped {
  /** Fit to be shown: see `shownName`. */
  readonly name: string;
  readonly why: string;
}

export interface NamedValue {
  readonly name: string;
  readonly value: Secret;
}

/** In a file that is not what it seems, a piece of a value may stand where a name should. */
export function shownName(name: string): string {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(name) ? name : "(a name that is not shown)";
}

import type { Secret } from "../../vault/secret.ts";
import type { Timestamp } from "../../vault/time.ts";
import { VaultError } from "../../vault-error.ts";

/** What a file to import holds. */
export interface Source {
  readonly entries: readonly Entry[];
  readonly skipped: readonly Skipped[];
  /** Names that stand there more than once; the last one counts. */
  readonly repeated: readonly string[];
  /** Names whose values go on where the format's reader ends them. */
  readonly cut: readonly string[];
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

/** Those that stand there more than once. */
export function repeatedIn(names: readonly string[]): string[] {
  const once = new Set<string>();
  const again = new Set<string>();
  for (const name of names) (once.has(name) ? again : once).add(name);
  return [...again];
}

/** In a file that is not what it seems, a piece of a value may stand where a name should. */
export function shownName(name: string): string {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(name) ? name : "(a name that is not shown)";
}

/** Of values in one file: each takes memory of its own, and no vault holds as many. */
export const MAX_ENTRIES = 50_000;

/** Refuses a file of more values before any of them is kept. */
export function requireFew(count: number, where: string): void {
  if (count <= MAX_ENTRIES) return;
  throw new VaultError(
    "bad-value",
    `more than ${MAX_ENTRIES} values: ${where}`,
    "split the file; nothing was imported",
  );
}

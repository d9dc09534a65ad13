import type { VaultError } from "../../vault-error.ts";

/** One thing that `check` found. A note is worth knowing and no fault. */
export interface Finding {
  readonly level: "error" | "note";
  /** A stable word: an error's code (docs/ERRORS.md), or one of those that docs/CLI.md lists. */
  readonly kind: string;
  /** A record's path below `.vault`, a file's path, or a name. */
  readonly where: string;
  /** One line, which names the place. */
  readonly what: string;
  /** The next step. */
  readonly next: string;
}

export function findingOf(error: VaultError, where: string): Finding {
  return { level: "error", kind: error.code, where, what: error.message, next: error.hint };
}

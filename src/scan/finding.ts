import { createHash } from "node:crypto";

/** What stands for a file's name where there is no file. */
export const COMMIT_MESSAGE = "(commit message)";
export const COMMIT_HEADER = "(commit header)";
export const STANDARD_INPUT = "(standard input)";

/** Where something was found. */
export interface Place {
  /** Below the work tree's top for what git has, as given for paths; `(standard input)`, `(commit message)`, `(commit header)`. */
  readonly file: string;
  /** From 1; in characters, of a binary file in bytes of its one line. */
  readonly line: number;
  readonly column: number;
  /** The commit that brought it, of what was read from history. */
  readonly commit?: string | undefined;
}

export type FindingKind = "value" | "key" | "format" | "structure";

/** One thing that `scan` found. Nothing in it is, or tells, the secret. */
export interface Finding extends Place {
  readonly kind: FindingKind;
  readonly rule: string;
  /** One line: `the value of stripe/API_KEY, in base64`. */
  readonly what: string;
  /** What stands in its place, masked; empty for what is no text in a file. */
  readonly masked: string;
  /** Names it in the allow-list: 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** The next step, one line. */
  readonly next: string;
}

/** The rule of a vault that is refused: nothing counts that its owners allow. */
export const REFUSED_VAULT = "vault";

/** The rule of a content that has too many findings for all to be told. No owner can allow that. */
export const TOO_MANY = "too-many";

/**
 * What an entry of the allow-list names: the rule, the file and the very bytes. Other bytes in that place are another
 * finding, and so are these bytes in another file.
 */
export function fingerprintOf(rule: string, file: string, content: string | Uint8Array): string {
  const hash = createHash("sha256");
  for (const part of ["vault-run/scan/v1", rule, file]) hash.update(`${part}\0`);
  return hash.update(content).digest("hex");
}

/** As many stars as tell nothing of its length, and how long it is about. */
export function maskOf(length: number): string {
  return length < 32 ? "********" : length < 256 ? "******** (long)" : "******** (very long)";
}

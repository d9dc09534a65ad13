// One error class for everything a user can meet. A message names the thing, never a value; the hint is the next
// step. Misuse by a programmer is a TypeError, a broken invariant an InternalError.

/** What went wrong, as a stable word that programs may branch on. Listed with causes in docs/ERRORS.md. */
export type VaultErrorCode =
  | "usage"
  | "bad-name"
  | "bad-value"
  | "bad-time"
  | "no-vault"
  | "no-repository"
  | "git-missing"
  | "git-not-ready"
  | "git-failed"
  | "no-key"
  | "key-file"
  | "passphrase"
  | "keychain"
  | "wrong-key"
  | "wrong-vault"
  | "untrusted"
  | "exists"
  | "unknown-agent"
  | "unknown-group"
  | "unknown-secret"
  | "unknown-owner"
  | "last-owner"
  | "not-granted"
  | "expired"
  | "collision"
  | "unsafe-name"
  | "record-invalid"
  | "record-missing"
  | "record-signature"
  | "record-rollback"
  | "record-conflict"
  | "record-epoch"
  | "format-newer"
  | "sealed-damaged"
  | "sealed-context"
  | "not-for-identity"
  | "locked"
  | "interrupted"
  | "disk"
  | "audit"
  | "audit-rewritten"
  | "no-terminal"
  | "no-pipe"
  | "not-allowed"
  | "rate-limited"
  | "request-failed"
  | "canceled";

export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: VaultErrorCode;
  /** The next step, one line. */
  readonly hint: string;

  constructor(code: VaultErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** What was typed in the place of one of `choices`. */
export interface Typed {
  /** It may be a value: nothing that shows an error shows it. */
  readonly word: string;
  /** Found when the error is told; what it throws stands for none. */
  readonly choices: () => readonly string[];
  /** What stands before a choice where it is written: `--`, `--format `. */
  readonly before?: string;
}

/**
 * A word or a name that is none of those it may be. What was meant is looked for when a person is told (cli/near-word.ts):
 * a launch need not know how.
 */
export class MistypedWord extends VaultError {
  readonly #typed: Typed;

  constructor(code: VaultErrorCode, message: string, hint: string, typed: Typed) {
    super(code, message, hint);
    this.#typed = typed;
  }

  /** What `find` makes of the word and its choices, as it is written. */
  nearest(find: (word: string, choices: readonly string[]) => string | undefined): string | undefined {
    const { word, choices, before = "" } = this.#typed;
    const near = find(word, choices());
    return near === undefined ? undefined : `${before}${near}`;
  }
}

/** An invariant of this program does not hold: a defect to report, not something the user did. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** The `code` of a failed system call (`ENOENT`, …), or undefined where the value is no such error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Turns a failed system call on `path` into a VaultError; passes every other error on. */
export function diskError(error: unknown, doing: string, path: string): unknown {
  const code = systemCode(error);
  if (error instanceof VaultError || code === undefined) return error;
  const hints: Record<string, string> = {
    ENOSPC: "free some space and run the command again; nothing was changed",
    EDQUOT: "free some space and run the command again; nothing was changed",
    EROFS: "the file system is read-only; run this where it can be written",
    EACCES: "give your user access to it, or run this as the user who has it",
    EPERM: "give your user access to it, or run this as the user who has it",
    ERR_ACCESS_DENIED: "node runs with --permission: name the path with --allow-fs-read or --allow-fs-write",
    ENOTDIR: "a file stands where a folder should be; move it away",
  };
  return new VaultError(
    "disk",
    `cannot ${doing} (${code}): ${path}`,
    hints[code] ?? "look at the path and run the command again",
    {
      cause: error,
    },
  );
}

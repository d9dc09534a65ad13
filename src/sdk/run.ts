import type { Writable } from "node:stream";
import type { Leak } from "../redact/index.ts";
import type { AgentOptions } from "./options.ts";

export interface RunOptions extends AgentOptions {
  /** Only these groups. `group` and `only` add up; without them: all that was granted. */
  readonly group?: readonly string[] | undefined;
  /** Only these secrets, `GROUP/NAME`. */
  readonly only?: readonly string[] | undefined;
  /** Secrets under other variables than their own: `{ TOKEN: "github/TOKEN" }`. Selects them too. */
  readonly inject?: Readonly<Record<string, string>> | undefined;
  /** Secrets as unnamed files in memory: the variable holds the path. Selects them too. */
  readonly file?: Readonly<Record<string, string>> | undefined;
  /** Secrets through pipes that can be read once: the variable holds the path. Selects them too. */
  readonly pipe?: Readonly<Record<string, string>> | undefined;
  /** What the program's environment starts from; otherwise this process's. The variables that lead to keys are left out. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Of that, keep only PATH HOME USER LOGNAME SHELL LANG LC_* TERM TZ TMPDIR, and what `pass` names. */
  readonly cleanEnv?: boolean | undefined;
  readonly pass?: readonly string[] | undefined;
  /** Whether a variable that a secret would replace is an error, not a warning. */
  readonly strictEnv?: boolean | undefined;
  readonly allowExpired?: boolean | undefined;
  /** Where the program runs; otherwise the current folder. */
  readonly cwd?: string | undefined;
  /** Its standard input: `"inherit"` (this process's own, the default) or `"ignore"`. */
  readonly stdin?: "inherit" | "ignore" | undefined;
  /** What it is to read from standard input, in place of that. */
  readonly input?: string | Uint8Array | undefined;
  /**
   * Where its redacted output goes: `"inherit"` (this process's own stream, the default), `"ignore"`, `"capture"` (into the
   * result), or a stream, which is not ended. One that fails or is closed before the program has ended kills it.
   */
  readonly stdout?: Output | undefined;
  readonly stderr?: Output | undefined;
  /** `"kill"`: the first masked value ends the program, with status 120. */
  readonly onLeak?: "report" | "kill" | undefined;
  /**
   * Once aborted the program gets SIGTERM, and what takes its output is waited for no longer: what is unread is left in the
   * stream. Where none was started yet, the reason is thrown.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Redacted, whichever it is. */
export type Output = "inherit" | "ignore" | "capture" | Writable;

export interface RunResult {
  /** The program's exit status; 128 + n where signal n ended it; 120 where a masked value did. */
  readonly status: number;
  /** What was masked in its output; the audit log has it too. */
  readonly leaks: readonly Leak[];
  /** What was captured; empty otherwise. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs a program with what the agent was granted, as `vault-run -- COMMAND` does: everything is verified and opened, and
 * the audit record written, before the program starts; what it prints is redacted; no variable that leads to a key reaches it.
 *
 * Unlike the command it leaves this process as it is: it listens to no signals and passes none on (the program shares this
 * process's group, so the keyboard's reach it), gives the program pipes even on a terminal, and does not hide this process's
 * memory. When this process ends, the program's output has no reader any more.
 *
 * @throws {TypeError} where an option is none, before anything else is done.
 * @throws {VaultError} where no program was started.
 * @throws the error of a stream that was to take its output, or a VaultError where that was closed. The program was killed.
 */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  // What only opens a vault need not load what starts programs and redacts.
  const { runInVault } = await import("./run-in-vault.ts");
  return runInVault(command, args, options);
}

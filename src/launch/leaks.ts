import type { Leak, Match, Redactor } from "../redact/index.ts";
import { VaultError } from "../vault-error.ts";
import type { AgentSession } from "./agent-session.ts";

// What it means that a value was in the output: it is masked in any case, counted, and written to the audit log.

/** `kill` ends the child at the first masked value; `report` only says so at the end. */
export type LeakPolicy = "report" | "kill";
export const LEAK_POLICIES: readonly LeakPolicy[] = ["report", "kill"];
/** A redacted value was in the output, and `kill` says what that means. */
export const STATUS_LEAKED = 120;

/** Watches for the first masked value where that ends the child. */
export class LeakWatch {
  readonly #policy: LeakPolicy;
  readonly #controller = new AbortController();
  #first: Match | undefined;

  constructor(policy: LeakPolicy) {
    this.#policy = policy;
  }

  /** The match that ended the child; undefined where none did. */
  get first(): Match | undefined {
    return this.#first;
  }

  /** Aborted when the child is to be killed. */
  get kill(): AbortSignal {
    return this.#controller.signal;
  }

  /** Nobody can look any more: what cannot be redacted must not run on. */
  fail(): void {
    this.#controller.abort();
  }

  see(match: Match): void {
    if (this.#policy !== "kill" || this.#first !== undefined) return;
    this.#first = match;
    this.#controller.abort();
  }
}

export interface ReportOptions {
  /** The program's name in the audit log; absent where none was launched. */
  readonly command?: readonly [string, ...string[]];
  readonly quiet: boolean;
}

/** Records what was masked, and says it in one line. */
export async function reportLeaks(
  session: AgentSession,
  leaks: readonly Leak[],
  { command, quiet }: ReportOptions,
  watch: LeakWatch | undefined,
  warn: (text: string) => void,
): Promise<void> {
  if (leaks.length === 0) return;
  try {
    await session.record({
      action: "leak",
      ...(command === undefined ? {} : { command: command[0] }),
      leaks: leaks.map(({ name, ...where }) => ({ secret: name, ...where })),
    });
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    warn(error.message);
  }
  const { first } = watch ?? {};
  if (first !== undefined) {
    warn(`the program was killed: ${first.name} was in its output (${first.stream}, ${first.encoding})`);
  } else if (!quiet) {
    warn(`masked in the output: ${summaryOf(leaks)}`);
  }
}

/** `stripe/API_KEY 3x (stdout raw, stderr base64), db/PASSWORD 1x (stdout raw)`. */
function summaryOf(leaks: readonly Leak[]): string {
  const byName = Map.groupBy(leaks, ({ name }) => name);
  return Array.from(byName, ([name, found]) => {
    const count = found.reduce((sum, leak) => sum + leak.count, 0);
    return `${name} ${count}x (${found.map(({ stream, encoding }) => `${stream} ${encoding}`).join(", ")})`;
  }).join(", ");
}

/** Names in one warning what is too short to be looked for. */
export function warnOfShort(redactor: Pick<Redactor, "tooShort">, warn: (text: string) => void): void {
  if (redactor.tooShort.length === 0) return;
  warn(`too short to be redacted from the output: ${redactor.tooShort.join(", ")}`);
}

import { closeSync } from "node:fs";
import type { Child, Filters, Supervision } from "../child.ts";
import { requireExecutable } from "../executable.ts";
import type { Libc, PseudoTerminal } from "../libc.ts";
import { startLeader, throughTheShell } from "./leader.ts";
import { Session } from "./session.ts";
import { UserTerminal } from "./user-terminal.ts";

// Holds the child by a pseudo-terminal: a terminal of its own, in a session of its own, whose output is read and redacted
// and whose input is what the user types. Three things make that as if we were not there: a shell that leads the session
// (leader.ts), the user's terminal, which passes keys on as they are (user-terminal.ts), and that a stream which is no
// terminal stays what it is: standard input goes to the child as it came, and a standard error that leads elsewhere is a
// pipe of its own.

const TERMINALS = [1, 0];

export interface ChildTerminal {
  readonly libc: Libc;
  readonly terminal: PseudoTerminal;
  /** A number of one digit that is free. */
  readonly shellDescriptor: number;
}

/**
 * Runs the child to its end on a pseudo-terminal, its output passing through the filter `terminal`.
 *
 * @returns its exit status, 128 + n where signal n ended it.
 * @throws {SpawnFailure} when no child was started.
 */
export async function superviseOnTerminal(
  child: Child,
  filters: Filters,
  around: Supervision,
  { libc, terminal, shellDescriptor }: ChildTerminal,
): Promise<number> {
  requireExecutable(child);
  // What is said is said before the user's terminal passes everything on as it is.
  const env = throughTheShell(child.env, around.warn);
  const { ours, theirs } = terminal;
  const user = UserTerminal.find(libc, TERMINALS);
  if (user?.modes !== undefined) libc.setModes(theirs, user.modes);
  const size = user?.size;
  if (size !== undefined) libc.setWindowSize(theirs, size);

  const session = new Session(around, filters, libc, ours, user);
  try {
    const started = startLeader({ ...child, env }, terminal, shellDescriptor, around.protection);
    const leader = await started.finally(() => closeSync(theirs));
    return await session.run(leader);
  } finally {
    session.end();
  }
}

import { existsSync } from "node:fs";
import { VaultError } from "../vault-error.ts";
import { type Child, type Filters, SHELL, type Supervision } from "./child.ts";
import type { Libc } from "./libc.ts";
import { isTerminal } from "./standard-streams.ts";

/** How a terminal is kept: `auto` gives the child a pseudo-terminal where standard output is a terminal. */
export type TtyMode = "auto" | "pty" | "pipe";
export const TTY_MODES: readonly TtyMode[] = ["auto", "pty", "pipe"];

export interface TerminalSupervisor {
  readonly libc: Libc;
  supervise(child: Child, filters: Filters, around: Supervision): Promise<number>;
}

const STDOUT = 1;

/**
 * What holds the child by a pseudo-terminal; undefined where pipes do.
 *
 * @param shellDescriptor a number of one digit that is free, for the shell that leads the terminal's session.
 * @param warn told where a pseudo-terminal was in order and there can be none.
 * @throws {VaultError} `no-terminal` where it was asked for and there can be none.
 */
export async function chooseTerminal(
  mode: TtyMode,
  shellDescriptor: number | undefined,
  warn: (text: string) => void,
): Promise<TerminalSupervisor | undefined> {
  if (mode === "pipe" || (mode === "auto" && !isTerminal(STDOUT))) return undefined;
  try {
    return await terminalSupervisor(shellDescriptor);
  } catch (error) {
    if (mode === "pty" || !(error instanceof VaultError)) throw error;
    warn(`${error.message}, so the program sees pipes (--tty pipe asks for that)`);
    return undefined;
  }
}

async function terminalSupervisor(shellDescriptor: number | undefined): Promise<TerminalSupervisor> {
  if (!existsSync(SHELL)) throw noTerminal(`there is no ${SHELL}`, "install a shell there");
  if (shellDescriptor === undefined)
    throw noTerminal("every descriptor below 10 is in use", "close one that the program does not need");
  const { Libc } = await import("./libc.ts");
  const libc = await Libc.load();
  if (typeof libc === "string") throw noTerminal(libc, "reinstall vault-run with its optional packages");
  // Made now, before anything is released: where there can be none the launch is refused, or goes on with pipes.
  const terminal = libc.openPseudoTerminal();
  const { superviseOnTerminal } = await import("./terminal/supervise.ts");
  return {
    libc,
    supervise: (child, filters, around) =>
      superviseOnTerminal(child, filters, around, { libc, terminal, shellDescriptor }),
  };
}

function noTerminal(why: string, hint: string): VaultError {
  return new VaultError("no-terminal", `no pseudo-terminal: ${why}`, `${hint}, or pass --tty pipe`);
}

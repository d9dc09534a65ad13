import { existsSync } from "node:fs";
import { isatty } from "node:tty";
import { VaultError } from "../vault-error.ts";
import { type Child, SHELL, type Supervision } from "./child.ts";

/** How a terminal is kept: `auto` gives the child a pseudo-terminal where standard output is a terminal. */
export type TtyMode = "auto" | "pty" | "pipe";
export const TTY_MODES: readonly TtyMode[] = ["auto", "pty", "pipe"];

export interface TerminalSupervisor {
  supervise(child: Child, around: Supervision): Promise<number>;
}

const STDOUT = 1;

/**
 * What holds the child by a pseudo-terminal; undefined where pipes do.
 *
 * @param warn told where a pseudo-terminal was in order and there can be none.
 * @throws {VaultError} `no-terminal` where it was asked for and there can be none.
 */
export async function chooseTerminal(
  mode: TtyMode,
  warn: (text: string) => void,
): Promise<TerminalSupervisor | undefined> {
  if (mode === "pipe" || (mode === "auto" && !isatty(STDOUT))) return undefined;
  try {
    return await terminalSupervisor();
  } catch (error) {
    if (mode === "pty" || !(error instanceof VaultError)) throw error;
    warn(`${error.message}, so the program sees pipes (--tty pipe asks for that)`);
    return undefined;
  }
}

async function terminalSupervisor(): Promise<TerminalSupervisor> {
  const { Libc } = await import("./terminal/libc.ts");
  const libc = existsSync(SHELL) ? await Libc.load() : `there is no ${SHELL}`;
  if (typeof libc === "string") {
    throw new VaultError(
      "no-terminal",
      `no pseudo-terminal: ${libc}`,
      "reinstall vault-run with its optional packages, or pass --tty pipe",
    );
  }
  // Made now, before anything is released: where there can be none the launch is refused, or goes on with pipes.
  const terminal = libc.openPseudoTerminal();
  const { superviseOnTerminal } = await import("./terminal/supervise.ts");
  return { supervise: (child, around) => superviseOnTerminal(child, around, libc, terminal) };
}

import { closeSync, constants, openSync } from "node:fs";
import { systemCode } from "../vault-error.ts";
import type { SignalSource } from "./child.ts";
import { statFields } from "./process-stat.ts";

// Which process gets which signal. On a terminal the kernel sends the keyboard's signals to the whole foreground group,
// the child included: passing those on would deliver them twice. Without a controlling terminal the child leads a group
// of its own and everything is passed on to that group.

/** What people and programs send to a process, to end it or to be handled. */
export const FORWARDED: readonly NodeJS.Signals[] = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGPWR",
];
/** With these, people and supervisors ask for an end. */
export const ENDING: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
]);
const FROM_KEYBOARD: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  "SIGINT",
  "SIGQUIT",
  "SIGTSTP",
  "SIGWINCH",
]);

/** Sends a signal. A process that has ended meanwhile, or runs as another user by now, gets none. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) !== "ESRCH" && systemCode(error) !== "EPERM") throw error;
  }
}

/** Calls `heard` for each of the signals until told to stop. */
export function listen(
  source: SignalSource,
  signals: readonly NodeJS.Signals[],
  heard: (signal: NodeJS.Signals) => void,
): { stop(): void } {
  const listeners = signals.map((signal) => ({ signal, listener: () => heard(signal) }));
  for (const { signal, listener } of listeners) source.on(signal, listener);
  return {
    stop: () => {
      for (const { signal, listener } of listeners) source.off(signal, listener);
    },
  };
}

/** Lets those that came by now be heard: the event loop looks for them once a turn. */
export function pendingSignals(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the kernel, or a shell, has already given this signal to the child, which shares our process group on a terminal:
 * what the keyboard sends, and the hangup, after which the terminal cannot be opened any more. Of a session whose terminal
 * hangs up the kernel tells the leader alone, which is a shell that tells its jobs, or it is us.
 */
export function kernelDelivers(signal: NodeJS.Signals): boolean {
  if (signal === "SIGHUP") return !hasControllingTerminal() && !leadsSession();
  return FROM_KEYBOARD.has(signal) && isForeground();
}

/** Whether our process group is the terminal's foreground group. */
export function isForeground(): boolean {
  const [group, , foreground] = ownGroups();
  // Without a controlling terminal there is no foreground, and nobody to leave it to.
  return group === foreground || foreground === "-1";
}

function leadsSession(): boolean {
  const [, session] = ownGroups();
  return session === `${process.pid}`;
}

/** Our process group, our session, and the foreground group of our terminal. */
function ownGroups(): (string | undefined)[] {
  const fields = statFields("self") ?? [];
  return [fields[2], fields[3], fields[5]];
}

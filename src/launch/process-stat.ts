import { readFileSync } from "node:fs";

// proc(5) counts the state as the third field, and it is the first of ours.
const STARTED_AT = 22 - 3;

/** A process, and no later one that was given the same number once this one had ended. */
export interface Process {
  readonly pid: number;
  /** Clock ticks after the system's start; undefined where there is no /proc. */
  readonly startedAt: string | undefined;
}

export function identify(pid: number, fields = statFields(pid)): Process {
  return { pid, startedAt: fields?.[STARTED_AT] };
}

/** Whether it is there still, or what is left of it until its parent looks. True where there is no /proc. */
export function isThere(found: Process): boolean {
  return identify(found.pid).startedAt === found.startedAt;
}

/** The fields of /proc/PID/stat (proc(5)) from the third on, `state`; undefined where there is no such process. */
export function statFields(pid: number | "self"): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the program's name, which may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

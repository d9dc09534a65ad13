import { readFileSync } from "node:fs";

// proc(5) counts the state as the third field, and it is the first of ours.
const FLAGS = 9 - 3;
const STARTED_AT = 22 - 3;
const EXIT_CODE = 52 - 3;
// linux/sched.h
const PF_EXITING = 0x4;

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
    return fieldsOf(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

function fieldsOf(stat: string): string[] {
  // Behind the program's name, which may hold anything.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/**
 * What /proc/PID/stat says of a process that nobody has waited for: the signal that has ended it, 0 for none; `near` where
 * it is about to end; undefined where it runs. Of another user's process the kernel says 0.
 */
export function endOf(stat: string): { readonly signal: number } | "near" | undefined {
  const fields = fieldsOf(stat);
  // As waitpid(2) gives it: the signal in the lowest seven bits.
  if (fields[0] === "Z") return { signal: Number(fields[EXIT_CODE]) & 0x7f };
  return (Number(fields[FLAGS]) & PF_EXITING) === 0 ? undefined : "near";
}

import { readFileSync } from "node:fs";

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

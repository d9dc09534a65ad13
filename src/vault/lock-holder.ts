import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { systemCode } from "../vault-error.ts";
import { hasControls } from "./names.ts";

// Who holds a lock, as its file says, and whether that process is there still.

/** More than any host's name has. */
const MAX_TEXT_CHARACTERS = 1024;

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** What the holder does: a verb's name. */
  readonly doing: string;
  /** When the process started, in the kernel's own ticks: tells a reused process id from the holder. */
  readonly started: string;
  /** The PID namespace in which `pid` is the process, by the kernel's own name; empty where the system has none. */
  readonly space: string;
  /** Random: tells this lock from every other of the same process. */
  readonly token: string;
}

/** Who asks for a lock. */
export type LockSelf = Pick<LockHolder, "pid" | "host" | "doing">;

export function holderOf(self: LockSelf): LockHolder {
  return {
    ...self,
    started: processStart(self.pid) ?? "",
    space: processSpace(),
    token: randomBytes(16).toString("hex"),
  };
}

/** Undefined where the text is no lock file's. */
export function parseHolder(text: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, host, doing, started, space = "", token } = value as Record<string, unknown>;
    const areTexts = [host, doing, started, space, token].every(isShowable);
    return areTexts && Number.isSafeInteger(pid) ? ({ ...value, space } as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}

/** Who waits is told what stands there. */
function isShowable(field: unknown): boolean {
  return typeof field === "string" && field.length <= MAX_TEXT_CHARACTERS && !hasControls(field);
}

/**
 * Whether a holder is gone for sure: a process of this host and of the own PID namespace that is there no more, or whose
 * number another has now.
 */
export function isGone(holder: LockHolder, self: LockHolder): boolean {
  if (holder.host !== self.host || holder.space !== self.space) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // Another user's process may have the number now: then it is not allowed to look, and it started later.
    if (systemCode(error) !== "EPERM") return systemCode(error) === "ESRCH";
  }
  const started = processStart(holder.pid);
  return started !== undefined && holder.started !== "" && started !== holder.started;
}

/** Where a holder is, as the one who waits for it is told. */
export function placeOf({ host, space }: LockHolder, self: LockHolder): string {
  const isApart = host === self.host && space !== self.space;
  return isApart ? `${host}, in another container or PID namespace` : host;
}

/** Field 22 of /proc/PID/stat. Undefined where there is no such process or no /proc. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** Empty where there is no /proc, or no such namespaces. */
function processSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

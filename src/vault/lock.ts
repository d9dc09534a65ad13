import { closeSync, linkSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { diskError, systemCode, VaultError } from "../vault-error.ts";

// A lock is a file that names its holder: process, host, what it does, since when. It is made whole under another name
// and linked into place, so it never exists half written. A holder that died on this host is detected and its lock taken
// over; one on another host cannot be looked at, so the message says how to remove it by hand.

const RETRY_MS = 25;

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** What the holder does: a verb's name. */
  readonly doing: string;
  /** When the process started, in the kernel's own ticks: tells a reused process id from the holder. */
  readonly started: string;
}

export interface Lock {
  release(): void;
}

/**
 * Takes the lock at `path`, waiting up to `waitMs` for a holder that lives.
 *
 * @param onWait called once, when there is something to wait for.
 * @throws {VaultError} `locked`, naming the holder.
 */
export async function takeLock(
  path: string,
  self: Omit<LockHolder, "started">,
  waitMs: number,
  onWait: (holder: LockHolder) => void = () => {},
): Promise<Lock> {
  const holder: LockHolder = { ...self, started: processStart(self.pid) ?? "" };
  const deadline = Date.now() + waitMs;
  let announced = false;
  for (;;) {
    if (tryTake(path, holder)) return { release: () => unlinkSync(path) };
    const current = readHolder(path);
    if (current === undefined) continue;
    if (isDead(current, self.host)) {
      takeOver(path, current, self.pid);
      continue;
    }
    if (Date.now() >= deadline) throw heldError(path, current);
    if (!announced) onWait(current);
    announced = true;
    await sleep(RETRY_MS);
  }
}

function tryTake(path: string, holder: LockHolder): boolean {
  const draft = `${path}.${holder.pid}`;
  try {
    const fd = openSync(draft, "w", 0o600);
    try {
      writeSync(fd, `${JSON.stringify(holder)}\n`);
    } finally {
      closeSync(fd);
    }
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw diskError(error, "take the lock", path);
  } finally {
    removeIfPossible(draft);
  }
}

function readHolder(path: string): LockHolder | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw diskError(error, "read the lock", path);
  }
  try {
    const holder: unknown = JSON.parse(text);
    if (isHolder(holder)) return holder;
  } catch {
    // Falls through: a file that is no lock of ours is reported like a holder that cannot be looked at.
  }
  throw new VaultError(
    "locked",
    `not a lock file of this program: ${path}`,
    `if no vault-run is running, remove it: rm ${path}`,
  );
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== "object" || value === null) return false;
  const { pid, host, doing, started } = value as Record<string, unknown>;
  return (
    typeof pid === "number" &&
    typeof host === "string" &&
    typeof doing === "string" &&
    typeof started === "string"
  );
}

function isDead(holder: LockHolder, host: string): boolean {
  if (holder.host !== host) return false;
  try {
    kill(holder.pid, 0);
  } catch (error) {
    return systemCode(error) === "ESRCH";
  }
  const started = processStart(holder.pid);
  return started !== undefined && holder.started !== "" && started !== holder.started;
}

/** Renames the dead holder's lock away; where a living process took it first, what was renamed is put back. */
function takeOver(path: string, dead: LockHolder, pid: number): void {
  const aside = `${path}.dead.${pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw diskError(error, "take over the lock", path);
  }
  const renamed = readHolder(aside);
  if (renamed !== undefined && (renamed.pid !== dead.pid || renamed.started !== dead.started))
    linkSync(aside, path);
  removeIfPossible(aside);
}

function heldError(path: string, holder: LockHolder): VaultError {
  return new VaultError(
    "locked",
    `another vault-run holds the lock: ${holder.doing}, process ${holder.pid} on ${holder.host}`,
    `wait for it to end; if it is gone, remove ${path}`,
  );
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

/** Tidies up after itself as far as it can: what led here is the error to report, not this. */
function removeIfPossible(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Not there, or not removable.
  }
}

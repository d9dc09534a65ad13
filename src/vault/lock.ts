import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { sleep } from "./time.ts";
import { syncFolder, writeFileDurably } from "./write-file.ts";

// A lock is a file that names its holder: process, host, what it does, since when. It is made whole under another name
// and linked into place, so it never exists half written. A holder that died on this host is detected and its lock taken
// over, by one process at a time and only after looking again. A holder on another host cannot be looked at: its lock
// stands until `staleAfterMs`, where the caller gives one, and otherwise until someone removes it. So does one of another PID
// namespace, a container's say, where the same number is another process. Who has the lock removes what killed processes left
// beside it, and by that the drafts of a holder that was taken for dead: what it was about to replace it replaces no more.

const RETRY_MS = 25;
/** The end of a draft's name: the token of who asks. */
const DRAFT = /\.[0-9a-f]{32}$/;
/** A takeover lasts microseconds: one that is older was left by a process that died in it. */
const TAKEOVER_STALE_MS = 5_000;

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

export interface LockOptions {
  /** How long to wait for a holder that lives. */
  readonly waitMs: number;
  /** For locks that are held for moments only: how old one may become before it counts as left behind. */
  readonly staleAfterMs?: number;
  /** Called once, when there is something to wait for. */
  readonly onWait?: (holder: LockHolder) => void;
  /** Asked while waiting: whether what the lock was for has been done by someone else meanwhile. */
  readonly isMoot?: () => boolean;
}

export interface Lock {
  /**
   * Replaces the private file at `path`, on the lock's file system, as a whole.
   *
   * @throws {VaultError} `locked` where the lock was taken over meanwhile, by who took this process for dead: nothing is
   *   replaced then.
   */
  replaceFile(path: string, bytes: Uint8Array): void;
  /** Never fails: what was done under the lock is done. */
  release(): void;
}

/**
 * Takes the lock at `path`. Resolves to undefined where waiting made it moot.
 *
 * @throws {VaultError} `locked`, naming the holder.
 */
export async function takeLock(
  path: string,
  self: LockSelf,
  options: LockOptions,
): Promise<Lock | undefined> {
  const holder = {
    ...self,
    started: processStart(self.pid) ?? "",
    space: processSpace(),
    token: randomBytes(16).toString("hex"),
  };
  const deadline = Date.now() + options.waitMs;
  let announced = false;
  for (;;) {
    if (tryTake(path, holder)) {
      quietly(() => tidyBeside(path, holder));
      return {
        replaceFile: (to, bytes) => replaceUnder(path, holder, to, bytes),
        release: () => releaseOwn(path, holder),
      };
    }
    const found = findLock(path);
    if (found !== undefined && isLeftBehind(found, holder, options.staleAfterMs))
      takeOver(path, found.holder);
    else if (found !== undefined && Date.now() >= deadline) throw heldError(path, found.holder, holder);
    else if (options.isMoot?.() === true) return undefined;
    else {
      if (found !== undefined && !announced) options.onWait?.(found.holder);
      announced ||= found !== undefined;
      await sleep(RETRY_MS);
    }
  }
}

function tryTake(path: string, holder: LockHolder): boolean {
  const draft = `${path}.${holder.token}`;
  try {
    writeFileDurably(draft, Buffer.from(`${JSON.stringify(holder)}\n`), "wx", 0o600);
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST" || isTidiedAway(error)) return false;
    throw diskError(error, "take the lock", path);
  } finally {
    quietly(() => unlinkSync(draft));
  }
}

/**
 * The draft is one of those beside the lock that the next holder removes before it reads anything: whenever this process
 * stood still, either its rename comes first or there is nothing to rename.
 */
function replaceUnder(path: string, own: LockHolder, to: string, bytes: Uint8Array): void {
  const draft = `${path}.${own.token}`;
  try {
    writeFileDurably(draft, bytes, "wx", 0o600);
    if (findLock(path)?.holder.token !== own.token) throw lostError(path);
    renameSync(draft, to);
    syncFolder(dirname(to));
  } catch (error) {
    quietly(() => unlinkSync(draft));
    if (systemCode(error) === "ENOENT" && findLock(path)?.holder.token !== own.token) throw lostError(path);
    throw diskError(error, "write", to);
  }
}

/** Whether it is the draft that is missing: whoever has the lock took it for one that was left. It is made again. */
function isTidiedAway(error: unknown): boolean {
  return systemCode(error) === "ENOENT" && (error as NodeJS.ErrnoException).syscall === "link";
}

/** Drafts of who was killed while asking, and what a takeover was killed in. Those of the living are made again. */
function tidyBeside(path: string, own: LockHolder): void {
  for (const name of readdirSync(dirname(path))) {
    if (DRAFT.test(name) && name.startsWith(`${basename(path)}.`))
      quietly(() => unlinkSync(join(dirname(path), name)));
  }
  const { guard, aside } = takeoverPaths(path);
  quietly(() => {
    // A takeover that holds this very lock is about to put it back.
    if (findLock(aside)?.holder.token !== own.token) unlinkSync(aside);
  });
  quietly(() => rmdirSync(guard));
}

/** The folder that only one process can make, and where it moves the dead lock to. */
function takeoverPaths(path: string): { guard: string; aside: string } {
  return { guard: `${path}.takeover`, aside: `${path}.takeover/lock` };
}

function releaseOwn(path: string, own: LockHolder): void {
  quietly(() => {
    if (findLock(path)?.holder.token === own.token) unlinkSync(path);
  });
}

interface FoundLock {
  readonly holder: LockHolder;
  readonly modifiedMs: number;
}

/** The lock that stands at the path, undefined where there is none. A link is no lock. */
function findLock(path: string): FoundLock | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === "ELOOP") throw notALock(path);
    throw diskError(error, "read the lock", path);
  }
  try {
    const stat = fstatSync(fd);
    const holder = stat.isFile() ? parseHolder(readFileSync(fd, "utf8")) : undefined;
    if (holder === undefined) throw notALock(path);
    return { holder, modifiedMs: stat.mtimeMs };
  } finally {
    closeSync(fd);
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, host, doing, started, space = "", token } = value as Record<string, unknown>;
    const texts = [host, doing, started, space, token].every((field) => typeof field === "string");
    return texts && typeof pid === "number" ? ({ ...value, space } as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}

function isLeftBehind(
  { holder, modifiedMs }: FoundLock,
  self: LockHolder,
  staleAfterMs: number | undefined,
): boolean {
  if (staleAfterMs !== undefined && Date.now() - modifiedMs > staleAfterMs) return true;
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

/** Removes a lock that was left behind, alone and after looking again; a lock that lives is put back. */
function takeOver(path: string, dead: LockHolder): void {
  const { guard, aside } = takeoverPaths(path);
  try {
    mkdirSync(guard, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw diskError(error, "take over the lock", path);
    const madeMs = statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - madeMs > TAKEOVER_STALE_MS) quietly(() => rmSync(guard, { recursive: true }));
    return;
  }
  try {
    if (findLock(path)?.holder.token !== dead.token) return;
    renameSync(path, aside);
    if (findLock(aside)?.holder.token !== dead.token) linkSync(aside, path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "EEXIST")
      throw diskError(error, "take over the lock", path);
  } finally {
    quietly(() => unlinkSync(aside));
    quietly(() => rmdirSync(guard));
  }
}

function heldError(path: string, holder: LockHolder, self: LockHolder): VaultError {
  const isApart = holder.host === self.host && holder.space !== self.space;
  const where = isApart ? `${holder.host}, in another container or PID namespace` : holder.host;
  return new VaultError(
    "locked",
    `another vault-run holds the lock: ${holder.doing}, process ${holder.pid} on ${where}`,
    `wait for it to end; if it is gone, remove ${path}`,
  );
}

function lostError(path: string): VaultError {
  return new VaultError(
    "locked",
    `this process stood still for so long that another took its lock: ${path}`,
    "run the command again",
  );
}

function notALock(path: string): VaultError {
  return new VaultError(
    "locked",
    `not a lock file of this program: ${path}`,
    `if no vault-run is running, remove it: rm ${path}`,
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

/** Empty where there is no /proc, or no such namespaces. */
function processSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** For tidying up: what led here is the outcome to report, not this. */
function quietly(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // Not there any more, or not removable.
  }
}

import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { holderOf, isGone, type LockHolder, type LockSelf, parseHolder, placeOf } from "./lock-holder.ts";
import { shellWord } from "./names.ts";
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
/** More than who holds it can be. */
const MAX_LOCK_BYTES = 64 * 1024;
/** A takeover lasts microseconds: one that is older was left by a process that died in it. */
const TAKEOVER_STALE_MS = 5_000;

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
  const holder = holderOf(self);
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
    const holder =
      stat.isFile() && stat.size <= MAX_LOCK_BYTES ? parseHolder(readFileSync(fd, "utf8")) : undefined;
    if (holder === undefined) throw notALock(path);
    return { holder, modifiedMs: stat.mtimeMs };
  } finally {
    closeSync(fd);
  }
}

function isLeftBehind(
  { holder, modifiedMs }: FoundLock,
  self: LockHolder,
  staleAfterMs: number | undefined,
): boolean {
  const isStale = staleAfterMs !== undefined && Date.now() - modifiedMs > staleAfterMs;
  return isStale || isGone(holder, self);
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
  return new VaultError(
    "locked",
    `another vault-run holds the lock: ${holder.doing}, process ${holder.pid} on ${placeOf(holder, self)}`,
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
    `if no vault-run is running, remove it: rm ${shellWord(path)}`,
  );
}

/** For tidying up: what led here is the outcome to report, not this. */
function quietly(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // Not there any more, or not removable.
  }
}

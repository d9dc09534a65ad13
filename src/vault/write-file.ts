import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { diskError, systemCode } from "../vault-error.ts";

/**
 * Makes a folder, private to the user unless said otherwise, and those above it, durably. One at a time: node's own recursive way never ends
 * where the system says that a parent is missing and that it cannot be made (below /proc, for one).
 */
export function makeFolder(path: string, mode = 0o700): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
    // What is in it lasts no longer than its own name does.
    syncFolder(dirname(path));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw diskError(error, "make the folder", path);
  }
}

/**
 * Replaces `path` as a whole: a reader, or a crash at any point, sees the old bytes or the new ones. Its draft is
 * `PATH.new`: for folders that nobody else writes to.
 */
export function writeFileAtomic(path: string, bytes: Uint8Array, mode: number): void {
  const draft = `${path}.new`;
  try {
    writeFileDurably(draft, bytes, "w", mode);
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw diskError(error, "write", path);
  }
}

/**
 * The same in a folder where others keep files of their own. The draft's name can be nobody's, and only drafts of ours are
 * removed: those of calls that were killed, too, since they may hold a key.
 */
export function replaceAmongOthers(path: string, bytes: Uint8Array, mode: number): void {
  const folder = dirname(path);
  const start = `.${basename(path)}.vault-run-`;
  for (const name of readdirSync(folder)) {
    if (name.startsWith(start) && DRAFT_END.test(name.slice(start.length))) rmSync(join(folder, name));
  }
  const draft = join(folder, `${start}${randomBytes(16).toString("hex")}`);
  try {
    writeFileDurably(draft, bytes, "wx", mode);
    // Whatever the umask takes away.
    chmodSync(draft, mode);
    renameSync(draft, path);
    syncFolder(folder);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") rmSync(draft, { force: true });
    throw error;
  }
}

const DRAFT_END = /^[0-9a-f]{32}$/;

/** One write(2) may take only a part. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written);
}

/** Writes and fsyncs. With flags `wx` whatever is there already, a link too, is an error and is left alone. */
export function writeFileDurably(path: string, bytes: Uint8Array, flags: "w" | "wx", mode: number): void {
  const fd = openSync(path, flags, mode);
  try {
    writeWhole(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes names in a folder durable: without it a rename can be undone by a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

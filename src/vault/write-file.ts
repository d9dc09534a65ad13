import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { diskError, systemCode } from "../vault-error.ts";

/**
 * Makes a folder, private to the user, and those above it, durably. One at a time: node's own recursive way never ends
 * where the system says that a parent is missing and that it cannot be made (below /proc, for one).
 */
export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
    // What is in it lasts no longer than its own name does.
    syncFolder(dirname(path));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw diskError(error, "make the folder", path);
  }
}

/** Replaces `path` as a whole: a reader, or a crash at any point, sees the old bytes or the new ones. */
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

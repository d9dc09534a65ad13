import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { diskError } from "../vault-error.ts";

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

/** Writes and fsyncs. With flags `wx` an existing file is an error and is left alone. */
export function writeFileDurably(path: string, bytes: Uint8Array, flags: "w" | "wx", mode: number): void {
  const fd = openSync(path, flags, mode);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(fd, bytes, written);
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

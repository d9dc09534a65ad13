import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { REPORT_HEAD } from "../../report/html.ts";
import { replaceAmongOthers } from "../../vault/write-file.ts";
import { diskError, VaultError } from "../../vault-error.ts";

// Where a report may go: where nothing is, or an older report, which it replaces. Whatever else is there is left alone.

/** @throws {VaultError} `exists` */
export function requireReportPlace(path: string): void {
  if (!isTaken(path)) return;
  throw new VaultError(
    "exists",
    `what is there is no report and is left alone: ${path}`,
    "move it away and run this again, or name another file with --html FILE",
  );
}

/** As a whole, for the user alone: a reader sees the old report or the new one. */
export function writeReport(path: string, html: string): void {
  requireReportPlace(path);
  try {
    replaceAmongOthers(path, Buffer.from(html), 0o600);
  } catch (error) {
    throw diskError(error, "write the report", path);
  }
}

function isTaken(path: string): boolean {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return false;
    return !found.isFile() || beginningOf(path, REPORT_HEAD.length) !== REPORT_HEAD;
  } catch (error) {
    throw diskError(error, "look at", path);
  }
}

function beginningOf(path: string, length: number): string {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(length);
    return bytes.toString("latin1", 0, readSync(fd, bytes, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}

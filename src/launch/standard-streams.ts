import { fstatSync, statSync } from "node:fs";
import type { Writable } from "node:stream";
import { writeWhole } from "../vault/write-file.ts";
import { stream } from "./late-modules.ts";

// What our standard streams lead to.

export function isTerminal(fd: number): boolean {
  // node:tty brings node's sockets along, so it is asked only about what may be a terminal.
  return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
}

/**
 * What is to be written to in place of one of our standard streams: where it leads to a file, node takes for written what a
 * disk that is nearly full took the first part of.
 */
export function writtenWhole(standard: Writable & { readonly fd?: number }): Writable {
  const { fd } = standard;
  if (fd === undefined || !fstatSync(fd).isFile()) return standard;
  const { Writable } = stream();
  return new Writable({
    write: (chunk: Uint8Array, _, done) => {
      try {
        writeWhole(fd, chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** Whether what is written to one of our standard streams is gone. Node opens the null device in place of one that is closed. */
export function leadsNowhere({ fd }: Writable & { readonly fd?: number }): boolean {
  const { rdev } = statSync("/dev/null", { throwIfNoEntry: false }) ?? {};
  return fd !== undefined && fstatSync(fd).isCharacterDevice() && fstatSync(fd).rdev === rdev;
}

/** Whether our standard output and error are the same file, pipe or terminal: what `2>&1` makes of them. */
export function leadToOnePlace(): boolean {
  const [stdout, stderr] = [fstatSync(1), fstatSync(2)];
  // What goes to /dev/null has no order.
  if (stdout.isCharacterDevice() && !isTerminal(1)) return false;
  return stdout.dev === stderr.dev && stdout.ino === stderr.ino;
}

import { fstatSync } from "node:fs";

// What our standard streams lead to.

export function isTerminal(fd: number): boolean {
  // node:tty brings node's sockets along, so it is asked only about what may be a terminal.
  return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
}

/** Whether our standard output and error are the same file, pipe or terminal: what `2>&1` makes of them. */
export function leadToOnePlace(): boolean {
  const [stdout, stderr] = [fstatSync(1), fstatSync(2)];
  // What goes to /dev/null has no order.
  if (stdout.isCharacterDevice() && !isTerminal(1)) return false;
  return stdout.dev === stderr.dev && stdout.ino === stderr.ino;
}

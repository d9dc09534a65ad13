import { closeSync } from "node:fs";
import { isForeground } from "../launch/signals.ts";
import { systemCode } from "../vault-error.ts";

// How this process ends: what was said is written, the terminal is left to whom it belongs, and no thread of node's is
// waited for that waits for us.

/**
 * Who has computed for less cannot have come to V8's limit of memory. Processor time, not time: on a busy machine every
 * launch gets old.
 */
const LITTLE_US = 150_000;

/** @param streams are written out first. */
export async function endProcess(
  process: NodeJS.Process,
  status: number,
  streams: readonly NodeJS.WriteStream[],
): Promise<never> {
  for (const stream of streams) await flushed(stream);
  leaveTerminalAlone();
  // Not left to the event loop: a grandchild may still hold one of our pipes open, and is not waited for.
  return exit(process, status);
}

/**
 * `process.exit` waits for V8's compiler threads, and one of them that has met the limit of memory waits for the next
 * collection of garbage, which never comes: about one launch in twenty that had passed 60 MB on hung here for good
 * (nodejs/node#54918). So the garbage is collected now, which lets waiting threads go on and puts the limit out of
 * reach for the moment that is left.
 */
export function exit(process: NodeJS.Process, status: number): never {
  const { user, system } = process.cpuUsage();
  if (user + system > LITTLE_US) collectGarbage(process);
  process.exit(status);
}

function collectGarbage(process: NodeJS.Process): void {
  process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
  const collect = process.getBuiltinModule("node:vm").runInNewContext("gc") as () => void;
  collect();
}

/** Resolves once all is written, or has failed to be: the stream then says so a turn later. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (!stream.destroyed) await new Promise<void>((resolve) => stream.write("", () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
}

/**
 * At its end node puts the terminal's modes back as it found them. In the background they are those of the program in
 * the foreground by now: without a terminal at hand node does nothing.
 */
function leaveTerminalAlone(): void {
  if (isForeground()) return;
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch (error) {
      if (systemCode(error) !== "EBADF") throw error;
    }
  }
}

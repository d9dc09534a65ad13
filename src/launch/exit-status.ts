import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { constants as os } from "node:os";
import { endOf } from "./process-stat.ts";
import type { RedactedStream } from "./stream.ts";

// Node says of a child that a real-time signal ended what it says of one that ended well: 0, and no signal. The kernel keeps
// the signal until node has waited for the child, and closes the child's outputs before node can: so it is looked for
// whenever something comes out of one, its end above all. It stays unseen where that comes late, for a reader that is slow
// or gone, or for another process that holds the output open; and where we have none of the child's outputs.

/** signal(7): those from here on have no name. */
const FIRST_REAL_TIME = 32;
const STAT_BYTES = 1024;
const POLL_MS = 1;
/** How long the kernel may take from closing a process's files to its end, on a busy machine. */
const MAX_POLLS = 500;

/** Resolves to the exit status of a child that runs, 128 + n where signal n ended it. */
export function exitStatus(
  child: ChildProcess,
  outputs: readonly Pick<RedactedStream, "watch">[],
): Promise<number> {
  const last = new LastSight(child.pid);
  for (const output of outputs) output.watch(() => last.look());
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      last.end();
      if (signal !== null) resolve(128 + os.signals[signal]);
      else resolve(code === 0 && last.signal >= FIRST_REAL_TIME ? 128 + last.signal : (code ?? 0));
    });
  });
}

/** What the kernel says of a child before node waits for it. */
class LastSight {
  /** The one that has ended it; 0 where none has been seen. */
  signal = 0;
  // Once open, it is of this process alone, whoever is given its number.
  #stat: number | undefined;
  readonly #bytes = Buffer.alloc(STAT_BYTES);

  constructor(pid: number | undefined) {
    try {
      this.#stat = openSync(`/proc/${pid}/stat`, "r");
    } catch {
      // There is no /proc, or no descriptor left.
    }
  }

  look(): void {
    for (let polls = 0; polls < MAX_POLLS; polls++) {
      const end = this.#read();
      if (end === undefined) return;
      if (end !== "near") {
        this.signal = end.signal;
        return;
      }
      // Not a turn of the event loop: in that one node would wait for it.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
    }
  }

  end(): void {
    if (this.#stat !== undefined) closeSync(this.#stat);
    this.#stat = undefined;
  }

  #read(): ReturnType<typeof endOf> {
    if (this.#stat === undefined) return undefined;
    try {
      return endOf(this.#bytes.toString("latin1", 0, readSync(this.#stat, this.#bytes, 0, STAT_BYTES, 0)));
    } catch {
      return undefined;
    }
  }
}

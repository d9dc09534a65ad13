import { writeSync } from "node:fs";
import type { Readable } from "node:stream";
import { systemCode } from "../../vault-error.ts";

const RETRY_MS = 10;

/**
 * Passes what is typed on to a pseudo-terminal whose descriptor does not block. Where the program does not read, no more
 * is taken: node's own terminal streams would block, and with them the way out of what the program writes.
 */
export class Input {
  readonly #from: Readable;
  readonly #to: number;
  #waiting: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  #wanted = false;
  readonly #listener = (typed: Buffer): void => this.#take(typed);

  /** @param gone called when there is no more to come: the user's terminal is gone. */
  constructor(from: Readable, to: number, gone: () => void) {
    this.#from = from;
    this.#to = to;
    from.on("error", gone);
    from.on("end", gone);
    from.on("close", gone);
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#from.on("data", this.#listener);
    if (this.#waiting.length === 0) this.#from.resume();
  }

  stop(): void {
    this.#wanted = false;
    this.#from.off("data", this.#listener);
    this.#from.pause();
  }

  /** Stops, and forgets what could not be passed on. */
  end(): void {
    this.stop();
    clearTimeout(this.#timer);
    this.#waiting = Buffer.alloc(0);
  }

  #take(typed: Buffer): void {
    this.#waiting = Buffer.concat([this.#waiting, typed]);
    this.#pass();
  }

  #pass(): void {
    try {
      while (this.#waiting.length > 0) {
        this.#waiting = this.#waiting.subarray(writeSync(this.#to, this.#waiting));
      }
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") {
        // The program's end of it is closed: nobody will read this.
        this.#waiting = Buffer.alloc(0);
        return;
      }
      this.#from.pause();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#pass(), RETRY_MS);
      return;
    }
    if (this.#wanted) this.#from.resume();
  }
}

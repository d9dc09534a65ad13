import { readFileSync, writeFileSync } from "node:fs";
import { systemCode } from "../vault-error.ts";
import type { Libc } from "./libc.ts";

// core(5): which parts of memory a core dump has. Programs that are started inherit it.
const CORE_DUMP_FILTER = "/proc/self/coredump_filter";
const NOTHING = "0";
const HIDE_AFTER_MS = 100;

/**
 * Keeps this process's memory to itself: the needles that redaction looks for are the values, and they are there for as
 * long as the program runs. Core dumps have none of it from the start. Other processes of the same user cannot look into it
 * once it is hidden, which takes the C library.
 */
export class Protection {
  /** As we found it, for what is started; undefined where there is none, or nothing is to be put back. */
  #filter: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hidden: Libc | undefined;

  constructor() {
    this.#filter = attempt(() => readFileSync(CORE_DUMP_FILTER, "latin1").trim());
    setFilter(NOTHING);
  }

  /** Starts something that gets the filter of core dumps as we found it. */
  outside<T>(start: () => T): T {
    if (this.#filter === undefined) return start();
    // The kernel shows it in base 16, and takes that only with this prefix.
    setFilter(`0x${this.#filter}`);
    try {
      return start();
    } finally {
      setFilter(NOTHING);
    }
  }

  /** There are no core dumps at all from now on, so what is started gets the filter as we found it. */
  hide(libc: Libc): void {
    if (this.#filter !== undefined) setFilter(`0x${this.#filter}`);
    // What is hidden has no files of ours below /proc any more, this one among them.
    this.#filter = undefined;
    libc.hideMemory();
    this.#hidden = libc;
  }

  /** Does what needs files of ours below /proc. What was hidden is seen for that long. */
  async whileShown<T>(act: () => Promise<T>): Promise<T> {
    this.#hidden?.showMemory();
    try {
      return await act();
    } finally {
      this.#hidden?.hideMemory();
    }
  }

  /** Hides once the program has been running for a while: no launch waits for the library that this takes. */
  hideLater(): void {
    this.#timer = setTimeout(async () => {
      const { Libc } = await import("./libc.ts");
      const libc = await Libc.load();
      if (typeof libc !== "string") this.hide(libc);
    }, HIDE_AFTER_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function setFilter(filter: string): void {
  attempt(() => writeFileSync(CORE_DUMP_FILTER, filter, { flag: "r+" }));
}

/** Undefined where the system has no such thing. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

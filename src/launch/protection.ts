import { readFileSync, writeFileSync } from "node:fs";
import { systemCode } from "../vault-error.ts";
import type { Libc } from "./libc.ts";

// What is done so that this process's memory stays with it. The needles that redaction looks for are the values, and they
// are there for as long as the program runs.

// core(5): which parts of memory a core dump has. Programs that are started inherit it.
const CORE_DUMP_FILTER = "/proc/self/coredump_filter";
const NOTHING = "0";
const HIDE_AFTER_MS = 100;

let found: string | undefined;

/** From now on a core dump of this process has none of its memory. */
export function emptyCoreDumps(): void {
  found ??= attempt(() => readFileSync(CORE_DUMP_FILTER, "latin1"));
  setFilter(NOTHING);
}

/** Starts something that gets the filter of core dumps as we found it. */
export function withFoundFilter<T>(start: () => T): T {
  // The kernel shows it in base 16 and takes it in base 16 only with this prefix.
  if (found !== undefined) setFilter(`0x${found.trim()}`);
  try {
    return start();
  } finally {
    if (found !== undefined) setFilter(NOTHING);
  }
}

/**
 * Closes this process's memory to other processes of the same user. The library that this takes is loaded only once the
 * child has been running for a while, unless it is there: no launch waits for it.
 *
 * @returns what ends the waiting.
 */
export function hideMemory(libc: Libc | undefined): { stop(): void } {
  if (libc !== undefined) {
    libc.hideMemory();
    return { stop: () => {} };
  }
  const timer = setTimeout(async () => {
    const { Libc } = await import("./libc.ts");
    const loaded = await Libc.load();
    if (typeof loaded !== "string") loaded.hideMemory();
  }, HIDE_AFTER_MS);
  return { stop: () => clearTimeout(timer) };
}

function setFilter(filter: string): void {
  attempt(() => writeFileSync(CORE_DUMP_FILTER, filter, { flag: "r+" }));
}

/** Undefined where the system has no such thing, or our memory is hidden already and its files are no longer ours. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

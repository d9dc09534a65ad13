import { readFileSync } from "node:fs";
import { systemCode } from "../vault-error.ts";
import { type Child, MAX_STRING_BYTES } from "./child.ts";
import type { ChildDescriptors } from "./child-descriptors.ts";
import { isExecutableForm, requireExecutable } from "./executable.ts";
import type { Protection } from "./protection.ts";
import { FORWARDED, pendingSignals } from "./signals.ts";

// Handing over: this process becomes the program. Nothing of vault-run is left then, neither to redact nor to wait, and
// the process id, the parent and the terminal are the program's own. Node ends itself where execve(2) fails, so whatever
// can be known of that is looked at before.

// Node ignores these, and what is ignored stays so; what is handled does not.
const IGNORED_BY_NODE: readonly NodeJS.Signals[] = ["SIGPIPE", "SIGXFSZ"];
/** Unless someone listens to it. */
const OPENS_INSPECTOR: NodeJS.Signals = "SIGUSR1";
// execve(2): all strings of arguments and environment, with a pointer each.
const LEAST_BYTES = 131_072;
const MOST_BYTES = 6 * 1024 * 1024;
const STACK_SHARE = 4;
const POINTER_BYTES = 8;
/** For what the kernel adds: the interpreter's name, the file's path. */
const SPARE_BYTES = 8192;

/**
 * Becomes the program, and returns only where it cannot.
 *
 * @returns why it cannot.
 * @throws {SpawnFailure} where there is no such program.
 */
export async function handOver(
  child: Child,
  descriptors: ChildDescriptors,
  protection: Protection,
): Promise<string> {
  const path = requireExecutable(child);
  const { execve } = process;
  if (execve === undefined) return "this node cannot";
  if (descriptors.hasDeliveries) return "secrets are delivered through descriptors";
  if (!isExecutableForm(path)) return "it is neither a program for this machine nor a script with a #! line";
  const limits = ownLimits();
  if (!fits(child, limits)) return "its arguments and environment are near what the system takes";
  const unkept = await keepOpen([...descriptors.given.keys()]);
  if (unkept !== undefined) return unkept;
  const unhidden = limits.coreDumpsAreOn ? await hide(protection) : undefined;
  if (unhidden !== undefined) return unhidden;
  await pendingSignals();
  // What was heard ends us; from here on the signals themselves do, and then they are the program's.
  for (const signal of FORWARDED) if (signal !== OPENS_INSPECTOR) process.removeAllListeners(signal);
  for (const signal of IGNORED_BY_NODE) process.on(signal, () => {});
  return protection.outside(() => execve.call(process, path, child.command, child.env));
}

/** Why the descriptors, which node marked to be closed, cannot be kept; undefined where they are. */
async function keepOpen(marked: readonly number[]): Promise<string | undefined> {
  if (marked.length === 0) return undefined;
  const { Libc } = await import("./libc.ts");
  const libc = await Libc.load();
  const unkept = typeof libc === "string" ? libc : libc.keepOpen(marked);
  return unkept === undefined
    ? undefined
    : `it is to have descriptors besides the standard three, and ${unkept}`;
}

/**
 * Where node ended itself all the same, its core dump would hold what the program was to get. What is hidden has none, and
 * execve(2) ends that.
 *
 * @returns why it cannot be hidden; undefined where it is.
 */
async function hide(protection: Protection): Promise<string | undefined> {
  const { Libc } = await import("./libc.ts");
  const libc = await Libc.load();
  if (typeof libc === "string") return `core dumps are on, and ${libc}`;
  protection.hide(libc);
  return undefined;
}

function fits({ command, env }: Child, limits: Limits): boolean {
  const strings = [...command, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const sizes = strings.map((text) => Buffer.byteLength(text) + 1);
  const sum = sizes.reduce((total, bytes) => total + bytes + POINTER_BYTES, SPARE_BYTES);
  return sizes.every((bytes) => bytes <= MAX_STRING_BYTES) && sum <= limits.spaceForStrings;
}

interface Limits {
  readonly coreDumpsAreOn: boolean;
  /** A quarter of the stack that this process may have, in bytes, between two bounds. */
  readonly spaceForStrings: number;
}

/** As /proc/self/limits has them; where there is no /proc, the least. */
function ownLimits(): Limits {
  let text = "";
  try {
    text = readFileSync("/proc/self/limits", "latin1");
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
  const soft = (name: string) => new RegExp(`^Max ${name}\\s+(\\d+|unlimited)`, "m").exec(text)?.[1] ?? "0";
  const stack = soft("stack size");
  const bytes = stack === "unlimited" ? MOST_BYTES : Math.floor(Number(stack) / STACK_SHARE);
  return {
    coreDumpsAreOn: soft("core file size") !== "0",
    spaceForStrings: Math.min(Math.max(bytes, LEAST_BYTES), MOST_BYTES),
  };
}

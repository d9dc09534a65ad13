import { readFileSync, writeFileSync } from "node:fs";
import { TARGETS } from "./targets.ts";

// One target and large hostile inputs, in a process of its own: node --expose-gc test/fuzz/large.ts TARGET [SHAPE...]. Prints of each the
// milliseconds that it took, and by how many MB the process grew for it.

const BYTES = 10 * 1024 * 1024;
const repeated = (part: string): Buffer => Buffer.alloc(BYTES, part);
const between = (start: string, part: string, end: string): Buffer =>
  Buffer.concat([Buffer.from(start), repeated(part), Buffer.from(end)]);

export const SHAPES: Readonly<Record<string, () => Buffer>> = {
  lists: () => repeated("["),
  objects: () => repeated('{"a":'),
  "a long string": () => between('{"a":"', "x", '"}'),
  "escaped quotes": () => between('"', '\\"', '"'),
  "many fields": () =>
    Buffer.from(`{${Array.from({ length: BYTES / 14 }, (_, at) => `"A${at}":"x"`).join()}}`),
  "many numbers": () => between('{"records":[', "1,", "1]}"),
  "many lines": () => repeated("\n"),
  "many names": () => Buffer.from(Array.from({ length: BYTES / 10 }, (_, at) => `A${at}=x\n`).join("")),
  "one line": () => repeated("a"),
  "one line of spaces": () => between("a", " ", "b"),
  "one line of words": () => repeated("a "),
  "an open quote": () => between('A="', "x", ""),
  NUL: () => repeated("\0"),
  "no UTF-8": () => Buffer.alloc(BYTES, 0xff),
  "escape sequences": () => repeated("\x1b["),
  "many stanzas": () => between("age-encryption.org/v1\n", "-> a\n\n", ""),
  "many X25519 stanzas": () =>
    between("age-encryption.org/v1\n", `-> X25519 ${"A".repeat(42)}E\n${"A".repeat(43)}\n`, ""),
  "one stanza of many words": () => between("age-encryption.org/v1\n->", " a", "\n\n"),
  "one stanza of many lines": () => between("age-encryption.org/v1\n-> a\n", `${"A".repeat(64)}\n`, ""),
  "many comments": () => repeated("# agent\n"),
  "marks before keys": () => repeated(`${"=".repeat(48)}key=abcdefgh12345678 `),
  "bits of keys": () => repeated("AGE-SECRET-KEY-1 sk_live_ ghp_ "),
};

/** What is bounded before it is read: by the system, in a file of 64 KiB or less, or by who calls. */
const BOUNDED = new Set([
  ...[
    "arguments",
    "completion",
    "key-file",
    "passphrase",
    "owner-card",
    "sdk-options",
    "report",
    "mcp-arguments",
    "policy",
  ],
]);

/** git ends a name or a line of its own with NUL, and none of these is empty. */
const isNoOutputOfGit = (target: string, shape: string) => target.startsWith("git-") && shape === "NUL";

export const LARGE_TARGETS = Object.keys(TARGETS).filter((name) => !BOUNDED.has(name));

if (process.argv[1] === import.meta.filename) {
  const [, , target = "", ...given] = process.argv;
  const run = TARGETS[target];
  if (run === undefined) throw new TypeError("node test/fuzz/large.ts TARGET [SHAPE...]");
  // What is made once takes its time and room.
  await run(Buffer.from("a"));
  const all = Object.keys(SHAPES).filter((shape) => !isNoOutputOfGit(target, shape));
  for (const shape of given.length > 0 ? given : all) {
    const input = SHAPES[shape]?.() ?? Buffer.alloc(0);
    globalThis.gc?.();
    // proc(5): the greatest size is counted anew.
    writeFileSync("/proc/self/clear_refs", "5");
    const before = sizeKb("VmRSS");
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    await run(input);
    const { user, system } = process.cpuUsage(cpu);
    // Other programs run beside this one; and V8 collects what is no longer used in threads of its own.
    const ms = Math.round(Math.min(performance.now() - started, (user + system) / 1000));
    const mb = Math.round((sizeKb("VmHWM") - before) / 1024);
    process.stdout.write(`${JSON.stringify({ shape, ms, mb })}\n`);
  }
  process.exit();
}

function sizeKb(field: "VmRSS" | "VmHWM"): number {
  return Number(
    new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1],
  );
}

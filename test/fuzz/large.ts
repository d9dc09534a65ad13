import { TARGETS } from "./targets.ts";

// One target and one large hostile input, in a process of its own: node test/fuzz/large.ts TARGET SHAPE. Prints the milliseconds it took and
// by how many MB the process's greatest size grew.

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
  "bits of keys": () => repeated("AGE-SECRET-KEY-1 sk_live_ ghp_ "),
};

if (process.argv[1] === import.meta.filename) {
  const [, , target = "", shape = ""] = process.argv;
  const run = TARGETS[target];
  const make = SHAPES[shape];
  if (run === undefined || make === undefined) throw new TypeError("node test/fuzz/large.ts TARGET SHAPE");
  await run(Buffer.from("a"));
  const input = make();
  globalThis.gc?.();
  const before = process.resourceUsage().maxRSS;
  const started = performance.now();
  await run(input);
  const took = performance.now() - started;
  process.stdout.write(
    `${took.toFixed(0)} ${((process.resourceUsage().maxRSS - before) / 1024).toFixed(0)}\n`,
  );
}

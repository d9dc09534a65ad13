import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LARGE_TARGETS } from "./large.ts";
import { mutate, randomOf } from "./mutate.ts";
import { seedsOf } from "./seeds.ts";
import { TARGETS } from "./targets.ts";

const RUNS = 200;
/** Of targets that start a server, a program or a request for each input. */
const FEW_RUNS = 20;
const SLOW = new Set(["mcp-frames", "mcp-answer"]);
const MAX_MS = 1000;
const MAX_GROWTH_MB = 200;
/** Of what is refused before anything is built of it. */
const MAX_UNBUILT_GROWTH_MB = 30;
const LARGE = new URL("large.ts", import.meta.url).pathname;
const run = promisify(execFile);

/** Where one shape of 10 MB went beyond the bounds, or goes through the most of a parser. `FUZZ_LARGE=all`: every reader and shape. */
const LARGE_CASES: Readonly<Record<string, readonly string[]>> =
  process.env.FUZZ_LARGE === "all"
    ? Object.fromEntries(LARGE_TARGETS.map((target) => [target, []]))
    : {
        "age-classic": ["many stanzas", "many X25519 stanzas", "one stanza of many words"],
        dotenv: ["many names", "many lines"],
        json: ["many fields", "many numbers", "lists"],
        record: ["many fields", "objects"],
        payload: ["many fields", "many numbers"],
        "audit-line": ["lists", "many comments"],
        "audit-blocks": ["many fields"],
        pins: ["lists", "many fields"],
        journal: ["lists"],
        lock: ["lists"],
        "mcp-answer": ["many comments"],
        "verified-files": ["lists"],
        scan: ["many X25519 stanzas"],
      };

describe.each(Object.entries(TARGETS))("the reader of %s", (name, target) => {
  const runs = SLOW.has(name) ? FEW_RUNS : RUNS;

  it("keeps its promises for the corpus and what is near it", async () => {
    const seeds = seedsOf(name);
    for (const seed of seeds) await target(seed);
    const random = randomOf(1);
    for (let left = runs; left > 0; left--) await target(mutate(seeds[random(seeds.length)]!, seeds, random));
  });

  it("keeps them for any bytes", () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await target(Buffer.from(bytes));
      }),
      { numRuns: runs },
    ));
});

describe("10 MB of hostile input", () => {
  it.each(Object.entries(LARGE_CASES))(
    "cost %s no more than a second and 200 MB: %s",
    async (target, shapes) => {
      const { stdout } = await run(process.execPath, ["--expose-gc", LARGE, target, ...shapes], {
        timeout: 300_000,
      });
      for (const line of stdout.trim().split("\n")) {
        const { shape, ms, mb } = JSON.parse(line) as { shape: string; ms: number; mb: number };
        // Twice: other tests run beside it.
        expect(ms, shape).toBeLessThan(2 * MAX_MS);
        expect(mb, shape).toBeLessThan(target === "payload" ? MAX_UNBUILT_GROWTH_MB : MAX_GROWTH_MB);
      }
    },
  );
});

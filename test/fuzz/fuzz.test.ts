import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
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

// Where one shape of 10 MB went beyond the bounds, or goes through the most of a parser. test/fuzz/large.ts has more.
const LARGE_CASES = [
  ["age-classic", "many stanzas"],
  ["age-classic", "many X25519 stanzas"],
  ["age-classic", "one stanza of many words"],
  ["dotenv", "many names"],
  ["dotenv", "many lines"],
  ["json", "many fields"],
  ["json", "many numbers"],
  ["json", "lists"],
  ["record", "many fields"],
  ["record", "objects"],
  ["payload", "many fields"],
  ["payload", "many numbers"],
  ["audit-line", "lists"],
  ["audit-line", "many comments"],
] as const;

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
  it.each(LARGE_CASES)("cost %s no more than a second and 200 MB: %s", async (target, shape) => {
    const { stdout } = await run(process.execPath, ["--expose-gc", LARGE, target, shape]);
    const [ms, growthMb] = stdout.trim().split(" ").map(Number);
    // Twice: other tests run beside it.
    expect(ms).toBeLessThan(2 * MAX_MS);
    expect(growthMb).toBeLessThan(target === "payload" ? MAX_UNBUILT_GROWTH_MB : MAX_GROWTH_MB);
  });
});

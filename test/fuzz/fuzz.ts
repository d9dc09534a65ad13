import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Coverage } from "./coverage.ts";
import { mutate, randomOf } from "./mutate.ts";
import { corpusFolder, seedsOf } from "./seeds.ts";
import { TARGETS, type Target } from "./targets.ts";

// npm run fuzz [-- TARGET... --seconds N --seed N --keep]. Inputs that reach what none before did are changed further; with --keep small ones
// among them stay in corpus/. An input that breaks a promise is written beside it and ends the run with 1.

const MAX_MS = 1000;
const MAX_KEPT_BYTES = 2048;
const MAX_KEPT = 24;
/** Asking for coverage takes some 20 ms: it is asked for so many inputs at once, then for halves of those where there was news. */
const BATCH = 256;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } },
});
const seconds = Number(values.seconds ?? 60);
const seed = Number(values.seed ?? Date.now());
const unknown = positionals.find((name) => !Object.hasOwn(TARGETS, name));
if (unknown !== undefined || !(seconds > 0)) {
  process.stderr.write(`fuzz: TARGET is any of ${Object.keys(TARGETS).join(", ")}; --seconds more than 0\n`);
  process.exit(2);
}
for (const [name, target] of Object.entries(TARGETS))
  if (positionals.length === 0 || positionals.includes(name)) await fuzz(name, target);

async function fuzz(name: string, target: Target): Promise<void> {
  const coverage = new Coverage();
  const random = randomOf(seed);
  const pool = seedsOf(name);
  if (pool.length === 0) pool.push(Buffer.alloc(0));
  for (const input of pool) await run(name, target, input);
  coverage.hasNews(true);
  const end = performance.now() + seconds * 1000;
  let inputs = 0;
  let accepted = 0;
  let slowestMs = 0;
  const kept: Buffer[] = [];
  const learn = (input: Buffer): void => {
    pool.push(input);
    if (input.length <= MAX_KEPT_BYTES) kept.push(input);
  };
  const newOnes = async (batch: readonly Buffer[]): Promise<Buffer[]> => {
    for (const input of batch) await run(name, target, input);
    if (!coverage.hasNews(batch.length === 1)) return [];
    if (batch.length === 1) return [...batch];
    const half = batch.length >> 1;
    return [...(await newOnes(batch.slice(0, half))), ...(await newOnes(batch.slice(half)))];
  };
  while (performance.now() < end) {
    const batch = Array.from({ length: BATCH }, () => mutate(pool[random(pool.length)]!, pool, random));
    for (const input of batch) {
      const started = performance.now();
      if (await run(name, target, input)) accepted++;
      slowestMs = Math.max(slowestMs, performance.now() - started);
      inputs++;
    }
    if (coverage.hasNews(false)) for (const input of await newOnes(batch)) learn(input);
  }
  if (values.keep === true) keep(name, kept);
  process.stdout.write(
    `${name}: ${inputs} inputs in ${seconds} s, ${accepted} accepted, ${coverage.size} blocks, ${pool.length} in the pool, ` +
      `slowest ${slowestMs.toFixed(0)} ms, seed ${seed}\n`,
  );
  coverage.close();
}

async function run(name: string, target: Target, input: Buffer): Promise<boolean> {
  const started = performance.now();
  try {
    const isAccepted = await target(input);
    const took = performance.now() - started;
    if (took <= MAX_MS) return isAccepted;
    throw new Error(`it took ${took.toFixed(0)} ms`);
  } catch (error) {
    const path = new URL(`../${name}.broken`, corpusFolder(name));
    writeFileSync(path, input);
    process.stderr.write(`${name}: ${(error as Error).stack}\nthe input: ${path.pathname}\n`);
    process.exit(1);
  }
}

function keep(name: string, inputs: readonly Buffer[]): void {
  mkdirSync(corpusFolder(name), { recursive: true });
  for (const input of inputs.slice(0, MAX_KEPT)) {
    const digest = createHash("sha256").update(input).digest("hex").slice(0, 16);
    writeFileSync(new URL(digest, corpusFolder(name)), input);
  }
}

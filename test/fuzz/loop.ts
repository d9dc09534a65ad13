import { parentPort, workerData } from "node:worker_threads";
import { Coverage } from "./coverage.ts";
import { mutate, randomOf } from "./mutate.ts";
import { seedsOf } from "./seeds.ts";
import { TARGETS } from "./targets.ts";
import { SharedInput } from "./watch.ts";

// The loop of fuzz.ts for one target, in a thread that can be ended.

const MAX_MS = 1000;
const MAX_KEPT_BYTES = 2048;
/** Asking for coverage takes longer than most inputs: it is asked for so many at once, then for halves of those where something was new. */
const BATCH = 256;
/** Of each batch, so many are looked at alone: what ran more often than ever is seen of one input only. */
const ALONE = 8;

export interface Fuzzed {
  readonly inputs: number;
  readonly accepted: number;
  readonly characters: number;
  readonly pool: number;
  readonly slowestMs: number;
  /** Small ones of those that reached something new. */
  readonly kept: readonly Uint8Array[];
}

const { name, seconds, seed, memory } = workerData as {
  readonly name: string;
  readonly seconds: number;
  readonly seed: number;
  readonly memory: SharedArrayBuffer;
};
const shared = new SharedInput(memory);
parentPort?.postMessage(await fuzz());

async function fuzz(): Promise<Fuzzed> {
  const coverage = new Coverage();
  const random = randomOf(seed);
  const pool = seedsOf(name);
  if (pool.length === 0) pool.push(Buffer.alloc(0));
  const kept: Buffer[] = [];
  let [inputs, accepted, slowestMs] = [0, 0, 0];
  const learnFrom = async (batch: readonly Buffer[]): Promise<void> => {
    for (const input of batch) await run(input);
    if (batch.length === 1) {
      const [input] = batch as [Buffer];
      if (!coverage.learn()) return;
      pool.push(input);
      if (input.length <= MAX_KEPT_BYTES) kept.push(input);
    } else if (coverage.hasNews()) {
      const half = batch.length >> 1;
      await learnFrom(batch.slice(0, half));
      await learnFrom(batch.slice(half));
    }
  };
  // What is made once takes its time.
  await TARGETS[name]?.(Buffer.alloc(0));
  for (const input of pool) {
    await run(input);
    coverage.learn();
  }
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const batch = Array.from({ length: BATCH }, () => mutate(pool[random(pool.length)]!, pool, random));
    for (const input of batch) {
      const started = performance.now();
      if (await run(input)) accepted++;
      slowestMs = Math.max(slowestMs, performance.now() - started);
      inputs++;
    }
    const alone = coverage.hasNews() ? [] : batch.slice(0, ALONE);
    if (alone.length === 0) await learnFrom(batch);
    for (const input of alone) await learnFrom([input]);
  }
  coverage.close();
  return { inputs, accepted, characters: coverage.size, pool: pool.length, slowestMs, kept };
}

async function run(input: Buffer): Promise<boolean> {
  shared.begin(input);
  const started = performance.now();
  const isAccepted = await TARGETS[name]?.(input);
  const took = performance.now() - started;
  shared.end();
  if (took > MAX_MS) throw new Error(`it took ${took.toFixed(0)} ms`);
  return isAccepted === true;
}

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Fuzzed } from "./loop.ts";
import { corpusFolder } from "./seeds.ts";
import { TARGETS } from "./targets.ts";
import { watch } from "./watch.ts";

// npm run fuzz [-- TARGET... --seconds N --seed N --keep]. Inputs that reach what none before did are changed further; with --keep small ones
// among them stay in corpus/. An input that breaks a promise, or does not end, is written beside it and ends the run with 1.

const MAX_INPUT_MS = 10_000;
const MAX_KEPT = 24;

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
for (const name of Object.keys(TARGETS))
  if (positionals.length === 0 || positionals.includes(name)) await fuzz(name);

async function fuzz(name: string): Promise<void> {
  const outcome = await watch(new URL("loop.ts", import.meta.url), { name, seconds, seed }, MAX_INPUT_MS);
  if ("broken" in outcome) {
    const path = new URL(`../${name}.broken`, corpusFolder(name));
    writeFileSync(path, outcome.input);
    process.stderr.write(`${name}: ${outcome.broken}\nthe input: ${path.pathname}\n`);
    process.exit(1);
  }
  const { inputs, accepted, characters, pool, slowestMs, kept } = outcome.report as Fuzzed;
  if (values.keep === true) keep(name, kept);
  process.stdout.write(
    `${name}: ${inputs} inputs in ${seconds} s, ${accepted} accepted, ${characters} characters of src, ${pool} in the pool, ` +
      `slowest ${slowestMs.toFixed(0)} ms, seed ${seed}\n`,
  );
}

function keep(name: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(corpusFolder(name), { recursive: true });
  for (const input of inputs.slice(0, MAX_KEPT)) {
    const digest = createHash("sha256").update(input).digest("hex").slice(0, 16);
    writeFileSync(new URL(digest, corpusFolder(name)), input);
  }
}

// How launchers treat what they launch: the same program alone and through each of them, on the same machine in one run.
// The table of docs/COMPARISON.md is what this prints; bench/results/behaviour.json has the same.
// usage: npm run bench:behaviour (sops and fnox are compared where they are installed)

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeContenders } from "./behaviour/contenders.ts";
import { MEASURES } from "./behaviour/measures.ts";
import { Bench } from "./redact/bench.ts";

const RESULTS = join(import.meta.dirname, "results");
const bench = new Bench();
try {
  const contenders = await makeContenders(bench);
  const rows: Record<string, Record<string, string>> = {};
  console.log(`| | ${contenders.map(({ name, version }) => `${name} ${version}`.trim()).join(" | ")} |`);
  console.log(`|---|${contenders.map(() => "---|").join("")}`);
  for (const [name, measure] of Object.entries(MEASURES)) {
    const answers: Record<string, string> = {};
    for (const contender of contenders) answers[contender.name] = await measure(contender);
    rows[name] = answers;
    console.log(`| ${name} | ${Object.values(answers).join(" | ")} |`);
  }
  const versions = Object.fromEntries(contenders.map(({ name, version }) => [name, version]));
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, "behaviour.json"),
    `${JSON.stringify({ node: process.version, versions, rows }, undefined, 2)}\n`,
  );
} finally {
  bench.remove();
}

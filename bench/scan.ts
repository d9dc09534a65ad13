// What `scan` finds on the samples of gitleaks' and secretlint's own tests, beside secretlint's preset alone, and what it takes.
// The tables of docs/SCANNING.md are what this prints; bench/results/scan.json has the same.
// usage: npm run bench:scan [-- --secretlint FOLDER]
//   gitleaks' samples come from its Go module, where go is; secretlint's from a checkout of its repository, where one is named.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./redact/bench.ts";
import { CONTENDERS, type FindsIn } from "./scan/contenders.ts";
import { gitleaksSamples } from "./scan/gitleaks.ts";
import type { Sample } from "./scan/samples.ts";
import { secretlintSamples } from "./scan/secretlint-fixtures.ts";
import {
  addHistory,
  COMMITS,
  inTurns,
  makeRepository,
  scanArgs,
  stage,
  TURNS,
  usageOfScan,
} from "./scan/speed.ts";

const RESULTS = join(import.meta.dirname, "results");
const { values } = parseArgs({ options: { secretlint: { type: "string" } } });
const sets: Record<string, Sample[]> = { "gitleaks 8.30.1": gitleaksSamples() };
if (values.secretlint !== undefined) sets.secretlint = secretlintSamples(values.secretlint);

interface Row {
  readonly samples: string;
  readonly contender: string;
  readonly rules: number;
  readonly secrets: number;
  readonly none: number;
  /** Mean over the rules of what share of a rule's samples is found: each kind of key counts alike. */
  readonly recallByRule: number;
  readonly recall: number;
  readonly falselyFound: number;
  /** Of what is found in the samples, how much is one. */
  readonly precision: number;
}

async function measure(
  samples: string,
  all: readonly Sample[],
  contender: string,
  finds: FindsIn,
): Promise<Row> {
  const byRule = new Map<string, { found: number; of: number }>();
  let found = 0;
  let falselyFound = 0;
  for (const sample of all) {
    const isFound = await finds(sample);
    if (!sample.positive) {
      if (isFound) falselyFound++;
      continue;
    }
    const rule = byRule.get(sample.rule) ?? { found: 0, of: 0 };
    byRule.set(sample.rule, { found: rule.found + (isFound ? 1 : 0), of: rule.of + 1 });
    if (isFound) found++;
  }
  const secrets = all.filter(({ positive }) => positive).length;
  const shares = [...byRule.values()].map((rule) => rule.found / rule.of);
  return {
    samples,
    contender,
    rules: byRule.size,
    secrets,
    none: all.length - secrets,
    recallByRule: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    recall: found / secrets,
    falselyFound,
    precision: found / (found + falselyFound),
  };
}

const rows: Row[] = [];
for (const [name, samples] of Object.entries(sets)) {
  if (samples.length === 0) {
    console.error(`no samples of ${name}: install go`);
    continue;
  }
  for (const [contender, finds] of Object.entries(CONTENDERS))
    rows.push(await measure(name, samples, contender, finds));
}
console.log(
  "| samples of | | kinds of key | found, by kind | secrets | found | no secrets | falsely found | precision |",
);
console.log("|---|---|---|---|---|---|---|---|---|");
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
for (const row of rows) {
  const { samples, contender, rules, recallByRule, secrets, recall, none, falselyFound, precision } = row;
  console.log(
    `| ${samples} | ${contender} | ${rules} | ${percent(recallByRule)} | ${secrets} | ${percent(recall)} | ${none} | ${falselyFound} | ${percent(precision)} |`,
  );
}

const bench = new Bench();
try {
  const [clean, staged] = [makeRepository(bench, "clean"), makeRepository(bench, "staged")];
  stage(bench, staged);
  const readings = inTurns(bench, [
    { name: "node -e 0", args: ["-e", "0"], repo: clean },
    {
      name: "scan --staged, nothing staged, a vault of 10 secrets",
      args: scanArgs("--staged"),
      repo: clean,
    },
    { name: "scan --staged, 100 files of 8 KB", args: scanArgs("--staged"), repo: staged },
  ]);
  addHistory(bench, clean);
  const name = `scan --history, ${COMMITS} commits, 100 MB`;
  readings.push({ name, ...usageOfScan(bench, { args: scanArgs("--history"), repo: clean }) });
  console.log(`\nmedians of ${TURNS}, the history once; node ${process.version}\n`);
  console.log("| | s | processor, s | processor, x node | memory, MB |\n|---|---|---|---|---|");
  const [floor] = readings;
  for (const { name, seconds, cpuSeconds, peakMb } of readings) {
    const times = cpuSeconds / (floor?.cpuSeconds ?? Number.NaN);
    const figures = [seconds.toFixed(2), cpuSeconds.toFixed(2), times.toFixed(1), peakMb.toFixed(0)];
    console.log(`| ${name} | ${figures.join(" | ")} |`);
  }
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, "scan.json"),
    `${JSON.stringify({ node: process.version, rows, readings }, undefined, 2)}\n`,
  );
} finally {
  bench.remove();
}

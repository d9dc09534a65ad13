// What it takes to read a long audit log: the first time, when every signature is verified, and later, beside programs that
// only look at its bytes or its JSON. Ratios are what to read. Figures go to bench/results/audit.json too.
// usage: npm run bench:audit [-- LINES]     (a million by default: the log takes a minute to make and a minute to verify)

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { makeLongLog } from "./audit/million.ts";
import { type Usage, usageOf } from "./audit/usage.ts";
import { VAULT_RUN } from "./launch/vaults.ts";
import { Bench } from "./redact/bench.ts";
import { rounded, table } from "./redact/table.ts";

const RESULTS = join(import.meta.dirname, "results");
const LINES = Number(process.argv[2] ?? 1_000_000);
if (!(LINES >= 1000)) throw new Error("usage: npm run bench:audit [-- LINES], a thousand or more");

/** Counts lines by agent, as a script does that believes them all. */
const COUNTING = `
const { createReadStream } = require("node:fs");
const { createInterface } = require("node:readline");
(async () => {
  const counts = {};
  for (const file of process.argv.slice(1))
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      const { agent } = JSON.parse(line);
      counts[agent] = (counts[agent] ?? 0) + 1;
    }
  console.log(counts);
})();`;

interface Reading extends Usage {
  readonly name: string;
}

function measure(bench: Bench, name: string, command: readonly string[], cwd: string): Reading {
  return { name, ...usageOf(bench, command, cwd) };
}

const bench = new Bench();
try {
  const processor = cpus()[0]?.model ?? "unknown";
  console.log(`${LINES} lines, node ${process.version}, ${cpus().length} x ${processor}; MB = 10^6 bytes`);
  const { repo, files, bytes } = await makeLongLog(bench, LINES);
  console.log(`${rounded(bytes / 1e6)} MB in ${files.length} files\n`);
  const audit = (name: string, ...words: string[]) =>
    measure(bench, `vault-run audit ${name}`, [VAULT_RUN, "audit", "--json", ...words], repo);
  const readings = [
    measure(bench, "wc -l", ["wc", "-l", ...files], repo),
    measure(bench, "jq, lines of an agent", ["jq", "-c", 'select(.agent == "nobody")', ...files], repo),
    measure(bench, "node, JSON.parse and a count", ["node", "-e", COUNTING, ...files], repo),
    audit("--totals, the first time", "--totals"),
    audit("--totals", "--totals"),
    audit("--could-read", "--could-read"),
    audit("--secret, its lines", "--secret", "group-0/SECRET_0"),
  ];
  const parsing = readings[2]?.cpuSeconds ?? 1;
  const rows = readings.map(({ name, seconds, cpuSeconds, peakMb }) => [
    name,
    rounded(seconds, 1),
    rounded(cpuSeconds, 1),
    rounded(cpuSeconds / parsing, 2),
    rounded(peakMb),
  ]);
  console.log(table(["", "s", "processor s", "x node", "peak, MB"], rows));
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, "audit.json"),
    `${JSON.stringify({ node: process.version, processor, lines: LINES, bytes, readings }, undefined, 2)}\n`,
  );
} finally {
  bench.remove();
}

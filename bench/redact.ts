// What redaction costs: the redactor alone, and vault-run between a child and /dev/null, beside a pipe that only passes
// on and two other launchers that redact. All take turns, so that a machine whose speed drifts is fair to all; medians
// and ratios are what to read. The aims are printed, not enforced. Figures go to bench/results/redact.json too.
// usage: npm run bench:redact [-- TURNS]

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Bench } from "./redact/bench.ts";
import { makePlainPipe } from "./redact/contenders.ts";
import { GRANTED, makeField, measureEndToEnd, PRINTED_BYTES } from "./redact/end-to-end.ts";
import { measureBuilds, measureEngine } from "./redact/engine.ts";
import { measureLatency } from "./redact/latency.ts";
import { checkMasking } from "./redact/masking.ts";
import { installPeers } from "./redact/peers.ts";
import {
  AIMS,
  buildsTable,
  endToEndTable,
  engineTable,
  latencyTable,
  maskingTable,
  type Results,
} from "./redact/report.ts";
import { makeSecrets } from "./redact/secrets.ts";

const TURNS = Number(process.argv[2] ?? 5);
const RESULTS = join(import.meta.dirname, "results");

async function measure(bench: Bench): Promise<Results> {
  const peers = installPeers(bench.path);
  const processor = cpus()[0]?.model ?? "unknown";
  console.log(`medians of ${TURNS}, node ${process.version}, ${cpus().length} x ${processor}`);
  console.log(`dotenvx ${peers.dotenvx}, varlock ${peers.varlock}; MB = 10^6 bytes\n`);

  const builds = measureBuilds();
  console.log(buildsTable(builds));
  const engine = await measureEngine(bench, makePlainPipe(bench), TURNS);
  console.log(engineTable(engine));

  const fields = GRANTED.map((count) => makeField(bench, count));
  const contenders = fields.at(-1)?.contenders ?? [];
  const redacting = contenders.filter(({ name }) => name !== "plain pipe");
  const masking = checkMasking(bench, redacting, makeSecrets(Math.max(...GRANTED)));
  console.log(maskingTable(masking));
  const endToEnd = await measureEndToEnd(bench, fields, TURNS);
  console.log(endToEndTable(endToEnd, PRINTED_BYTES / 1e6));
  const latency = await measureLatency(bench, contenders, TURNS);
  console.log(latencyTable(latency));

  return {
    node: process.version,
    processor,
    turns: TURNS,
    peers,
    aims: AIMS,
    builds,
    engine,
    masking,
    endToEnd,
    latency,
  };
}

const bench = new Bench();
try {
  const results = await measure(bench);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "redact.json"), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  bench.remove();
}

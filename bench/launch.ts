// What a launch takes, whole processes beside the runtime doing nothing and beside other launchers; whether it depends on
// how much the vault holds; and what an owner's changes take as a group grows. Medians and ratios are what to read. The
// aims are printed, not enforced. Figures go to bench/results/launch.json too; a run of one part leaves that part alone there.
// usage: npm run bench [-- TURNS] [--only launch|growth|modules|owner] [--build] [--executable FILE]
// sops, fnox and agent-vault are compared where they are installed, age where go can build it; --build has go build sops
// too, which takes minutes. --executable compares the single file that scripts/executable.ts made.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeField } from "./launch/contenders.ts";
import { measureGrowth } from "./launch/growth.ts";
import { measureCourses } from "./launch/measure.ts";
import { measureModules } from "./launch/modules.ts";
import { measureOwner } from "./launch/owner.ts";
import {
  aimsTable,
  growthTable,
  judge,
  launchTable,
  modulesTable,
  ownerTable,
  type Results,
} from "./launch/report.ts";
import { buildWithGo } from "./launch/tools.ts";
import { Bench } from "./redact/bench.ts";
import { installPeers } from "./redact/peers.ts";

const RESULTS = join(import.meta.dirname, "results");
const PARTS = ["launch", "growth", "modules", "owner"];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, build: { type: "boolean" }, executable: { type: "string" } },
});
const TURNS = Number(positionals[0] ?? 20);
if (!(TURNS >= 1) || (values.only !== undefined && !PARTS.includes(values.only))) {
  throw new Error(
    `usage: npm run bench [-- TURNS] [--only ${PARTS.join("|")}] [--build] [--executable FILE]`,
  );
}

function isWanted(part: string): boolean {
  return values.only === undefined || values.only === part;
}

async function measure(bench: Bench): Promise<Results> {
  const processor = cpus()[0]?.model ?? "unknown";
  console.log(
    `medians of ${TURNS}, node ${process.version}, ${cpus().length} x ${processor}; MB = 10^6 bytes\n`,
  );
  // The launches come first, while this process is small: starting another takes longer from a large one.
  const parts = {
    ...(isWanted("launch") && (await measureLaunch(bench))),
    ...(isWanted("growth") && (await measureGrown(bench))),
    ...(isWanted("modules") && measureProgram(bench)),
    ...(isWanted("owner") && (await measureChanges(bench))),
  };
  const aims = judge(parts);
  console.log(aimsTable(aims));
  return { node: process.version, processor, turns: TURNS, ...parts, aims };
}

async function measureLaunch(bench: Bench): Promise<Pick<Results, "versions" | "missing" | "launch">> {
  const peers = installPeers(bench.path);
  if (values.build === true) buildWithGo(bench, "sops");
  const executable = values.executable === undefined ? undefined : resolve(values.executable);
  const { courses, versions, missing } = await makeField(bench, peers, executable);
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const launch = measureCourses(courses, TURNS);
  console.log(launchTable(launch, missing));
  console.log(`${named.join("; ")}\n`);
  return { versions, missing, launch };
}

async function measureGrown(bench: Bench): Promise<Pick<Results, "growth">> {
  const growth = await measureGrowth(bench, TURNS);
  console.log(growthTable(growth));
  return { growth };
}

function measureProgram(bench: Bench): Pick<Results, "modules"> {
  const modules = measureModules(bench, TURNS);
  console.log(modulesTable(modules));
  return { modules };
}

async function measureChanges(bench: Bench): Promise<Pick<Results, "owner">> {
  const owner = await measureOwner(bench);
  console.log(ownerTable(owner));
  return { owner };
}

const bench = new Bench();
try {
  const results = await measure(bench);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, "launch.json"), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  bench.remove();
}

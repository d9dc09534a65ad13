// How large the packages are, beside those of dotenvx and varlock, and the single-file programs beside sops and fnox; and what
// the executable's start takes beside the package's. Whole processes, which take turns: medians and ratios are what to read.
// usage: npm run bench:size [-- TURNS]
// sops and fnox are compared where they are installed. bench/results/size.json has the same.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { launchFrom, makeFloors } from "./launch/contenders.ts";
import { measureCourses } from "./launch/measure.ts";
import { makeVault } from "./launch/vaults.ts";
import { Bench } from "./redact/bench.ts";
import { installPeers } from "./redact/peers.ts";
import { makeTokens } from "./redact/secrets.ts";
import { rounded, table } from "./redact/table.ts";
import { executableWith, newestNode, programsOf } from "./size/executables.ts";
import { measurePackages } from "./size/packages.ts";
import { wheelOf } from "./size/wheel.ts";

const RESULTS = join(import.meta.dirname, "results");
const TURNS = Number(process.argv[2] ?? 20);
if (!(TURNS >= 1)) throw new Error("usage: npm run bench:size [-- TURNS]");

const kilobytes = (bytes: number) => rounded(bytes / 1e3);
const bench = new Bench();
try {
  const packages = measurePackages(bench, installPeers(bench.path));
  const packageRows = packages.map((each) => [
    `${each.name} ${each.version}`,
    ...[each.packed, each.unpacked].map(kilobytes),
    rounded(each.files),
    kilobytes(each.installed.bytes),
    rounded(each.installed.packages),
    kilobytes(each.plain.bytes),
    rounded(each.plain.packages),
  ]);
  const head = ["", "packed, kB", "unpacked, kB", "files", "installed, kB", "packages"];
  console.log("npm; kB = 10^3 bytes; the last two without optional packages\n");
  console.log(`${table([...head, "plain, kB", "packages"], packageRows)}\n`);

  const wheel = wheelOf(bench);
  console.log(
    `Python's wheel: ${kilobytes(wheel.packed)} kB, unpacked ${kilobytes(wheel.unpacked)} kB, ${wheel.files} files\n`,
  );

  const node = newestNode(bench);
  const executable = executableWith(bench, node);
  const programs = programsOf(bench, { "vault-run, the executable": executable, "its node": node });
  console.log(
    table(
      ["", "MB"],
      programs.map(({ name, bytes }) => [name, rounded(bytes / 1e6, 1)]),
    ),
  );

  const [floor, ...others] = makeFloors(bench);
  if (floor === undefined) throw new TypeError("no floor");
  const repo = makeVault(bench, "size", "pq", makeTokens(10));
  const courses = [
    floor,
    ...others,
    { ...floor, contender: "the executable's node -e 0", command: [node, "-e", "0"] },
    ...launchFrom(bench, repo, "vault-run, the package"),
    ...launchFrom(bench, repo, "vault-run, the executable", [], executable),
    ...launchFrom(bench, repo, "vault-run --no-redact, the package", ["--no-redact"]),
    ...launchFrom(bench, repo, "vault-run --no-redact, the executable", ["--no-redact"], executable),
  ].filter(({ child }) => child === "true");
  const starts = measureCourses(courses, TURNS);
  const startRows = starts.map(({ contender, ms, timesFloor, peakBytes }) => [
    contender,
    ...[ms, timesFloor, peakBytes / 1e6].map((figure, i) => rounded(figure, i === 1 ? 2 : 1)),
  ]);
  const conditions = `medians of ${TURNS}, node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}`;
  console.log(`\nA launch of \`true\`, 10 secrets, pq; ${conditions}\n`);
  console.log(table(["", "ms", "x node", "memory, MB"], startRows));
  mkdirSync(RESULTS, { recursive: true });
  const results = { node: process.version, packages, wheel, programs, starts };
  writeFileSync(join(RESULTS, "size.json"), `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  bench.remove();
}

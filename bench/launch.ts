// Whole-process launch time, against the floor: the runtime doing nothing, and the runtime only spawning a child with
// pipes. The commands take turns, so that a machine whose speed drifts is fair to all; medians and ratios are what to read.
// usage: npm run bench [-- RUNS]

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

const RUNS = Number(process.argv[2] ?? 20);
const VAULT_RUN = resolve(import.meta.dirname, "../bin/vault-run");
const SPAWN_ONLY = `require("child_process").spawn("true", [], { stdio: ["inherit", "pipe", "pipe"] })`;
const folder = mkdtempSync(join(tmpdir(), "vault-run-bench-"));
const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly times: number[];
}

function run(command: readonly string[], cwd: string, input = ""): number {
  const [file = "", ...args] = command;
  const started = performance.now();
  const { status, stderr } = spawnSync(file, args, { cwd, input, env: { PATH: path, HOME: folder } });
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - started;
}

function makeVault(name: string, secrets: number, ...options: string[]): string {
  const repo = join(folder, name);
  mkdirSync(repo);
  for (const words of [
    ["init", "-q"],
    ["config", "user.name", "Bench"],
    ["config", "user.email", "bench@example.org"],
  ]) {
    run(["git", ...words], repo);
  }
  run([VAULT_RUN, "init", ...options], repo);
  run([VAULT_RUN, "add-agent", "crawler"], repo);
  for (let i = 0; i < secrets; i++)
    run([VAULT_RUN, "set", `group/SECRET_${i}`], repo, `value-number-${i}-of-the-bench`);
  run([VAULT_RUN, "grant", "crawler", "group"], repo);
  return repo;
}

function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

try {
  const launchWith = (...options: string[]) => [VAULT_RUN, "--agent", "crawler", ...options, "--", "true"];
  const contenders: Contender[] = [
    { name: "node -e 0", command: ["node", "-e", "0"], cwd: folder, times: [] },
    { name: "node, spawn with pipes", command: ["node", "-e", SPAWN_ONLY], cwd: folder, times: [] },
    ...[1, 10].flatMap((secrets) =>
      ([["classic", "--classic"], ["pq"]] as const).map(([suite, ...options]) => ({
        name: `vault-run, ${suite}, ${secrets} secret${secrets === 1 ? "" : "s"}`,
        command: launchWith(),
        cwd: makeVault(`${suite}-${secrets}`, secrets, ...options),
        times: [],
      })),
    ),
  ];
  const cwd = contenders.at(-1)?.cwd ?? folder;
  for (const [name, ...options] of [
    ["handed over", "--no-redact"],
    ["one as a file", "--file", "SECRET_0=group/SECRET_0"],
    ["one through a pipe (koffi)", "--pipe", "SECRET_0=group/SECRET_0"],
  ]) {
    const command = launchWith(...options);
    contenders.push({ name: `the last, ${name}`, command, cwd, times: [] });
  }
  for (let turn = -1; turn < RUNS; turn++) {
    for (const { command, cwd: where, times } of contenders) {
      const time = run(command, where);
      // The first turn warms the caches.
      if (turn >= 0) times.push(time);
    }
  }
  const floor = median(contenders[0]?.times ?? []);
  console.log(`medians of ${RUNS}, node ${process.version}\n`);
  for (const { name, times } of contenders) {
    console.log(
      `${name.padEnd(40)} ${median(times).toFixed(0).padStart(5)} ms  ${(median(times) / floor).toFixed(2)} x`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

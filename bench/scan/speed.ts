import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Bench } from "../redact/bench.ts";

// What a scan takes as a whole process, and the most memory that it had.

const PROGRAM = resolve(import.meta.dirname, "../../bin/vault-run");
const PEAK = resolve(import.meta.dirname, "../launch/peak.py");
const TURNS = 20;
export const COMMITS = 10_000;
const SHARED =
  "export function handle(request, response) { return response.send(request.body.items.map(String)); }\n";

/** A repository with a vault of ten secrets. */
export function makeRepository(bench: Bench): string {
  const repo = bench.makeFolder("scan");
  bench.run(["git", "init", "--quiet"], repo);
  bench.run(["git", "config", "user.name", "bench"], repo);
  bench.run(["git", "config", "user.email", "bench@example.com"], repo);
  bench.run([process.execPath, PROGRAM, "init"], repo);
  for (let i = 0; i < 10; i++)
    bench.run([process.execPath, PROGRAM, "set", `app/SECRET_${i}`], repo, `value-number-${i}-of-the-bench`);
  return repo;
}

/** A hundred files of 8 KB, staged. */
export function stage(bench: Bench, repo: string): void {
  mkdirSync(join(repo, "src"));
  for (let i = 0; i < 100; i++) writeFileSync(join(repo, `src/${i}.ts`), `// ${i}\n${SHARED.repeat(80)}`);
  bench.run(["git", "add", "src"], repo);
}

/** Commits that each change one of a hundred files of 10 KB. */
export function addHistory(bench: Bench, repo: string): void {
  const parts: string[] = [];
  for (let i = 0; i < COMMITS; i++) {
    const text = `// ${i}\n${SHARED.repeat(100)}`;
    parts.push(
      `commit refs/heads/long\ncommitter b <b@example.com> ${1_700_000_000 + i} +0000\ndata 8\ncommit ${i % 10}\n`,
      `M 100644 inline src/${i % 100}.ts\ndata ${text.length}\n${text}\n`,
    );
  }
  bench.run(["git", "fast-import", "--quiet"], repo, parts.join(""));
}

/** The least of some runs, in milliseconds: what else the machine does only adds. */
export function leastOf(bench: Bench, repo: string, args: readonly string[]): number {
  const times = Array.from({ length: TURNS }, () => {
    const start = performance.now();
    bench.run([process.execPath, ...args], repo);
    return performance.now() - start;
  });
  return Math.min(...times);
}

export const scanArgs = (...args: string[]): string[] => [PROGRAM, "scan", ...args];

/** Seconds, and the most memory of the program in MB, of one run. */
export function once(
  bench: Bench,
  repo: string,
  args: readonly string[],
): { seconds: number; megabytes: number } {
  const job = { command: [process.execPath, ...args], cwd: repo, env: bench.env, runs: 1 };
  const start = performance.now();
  const peak = bench.run(["python3", PEAK], repo, JSON.stringify(job));
  return { seconds: (performance.now() - start) / 1000, megabytes: Number(peak.toString().trim()) / 1024 };
}

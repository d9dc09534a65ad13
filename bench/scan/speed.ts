import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Usage, usageOf } from "../audit/usage.ts";
import type { Bench } from "../redact/bench.ts";
import { median } from "../redact/statistics.ts";

// What a scan takes as a whole process, with those of git that it starts. All take turns, so that what else the machine does
// is the same for all.

const PROGRAM = resolve(import.meta.dirname, "../../bin/vault-run");
export const TURNS = 20;
export const COMMITS = 10_000;
const SHARED =
  "export function handle(request, response) { return response.send(request.body.items.map(String)); }\n";

/** A repository with a vault of ten secrets. */
export function makeRepository(bench: Bench, name: string): string {
  const repo = bench.makeFolder(name);
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

export const scanArgs = (...args: string[]): string[] => [PROGRAM, "scan", ...args];

export interface Course {
  readonly name: string;
  readonly args: readonly string[];
  readonly repo: string;
}

/** Medians, each figure by itself. */
export function inTurns(bench: Bench, courses: readonly Course[]): (Usage & { name: string })[] {
  const turns = Array.from({ length: TURNS }, () => courses.map((course) => usageOfScan(bench, course)));
  const medianOf = (i: number, figure: keyof Usage) => median(turns.map((turn) => turn[i]?.[figure] ?? 0));
  return courses.map(({ name }, i) => ({
    name,
    seconds: medianOf(i, "seconds"),
    cpuSeconds: medianOf(i, "cpuSeconds"),
    peakMb: medianOf(i, "peakMb"),
  }));
}

export function usageOfScan(bench: Bench, { args, repo }: Omit<Course, "name">): Usage {
  return usageOf(bench, [process.execPath, ...args], repo);
}

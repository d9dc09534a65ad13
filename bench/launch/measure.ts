import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median } from "../redact/statistics.ts";

// Whole processes, from their start to their end, with a pipe for standard output. All take turns, so that a machine whose
// speed drifts is fair to all. Memory is measured afterwards: it does not drift.

/** Two things to launch: one that does nothing, and one whose line has to be passed on. */
export const CHILDREN = {
  true: ["true"],
  "one line": ["echo", "a line of output"],
} as const satisfies Record<string, readonly string[]>;
export type Child = keyof typeof CHILDREN;

/** One command that is measured. */
export interface Course {
  readonly contender: string;
  readonly child: Child;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface CourseResult {
  readonly contender: string;
  readonly child: Child;
  readonly ms: number;
  /** Of the largest process, see peak.py. */
  readonly peakBytes: number;
  /** Both as multiples of the first course's. */
  readonly timesFloor: number;
  readonly peakToFloor: number;
}

const PEAK_RUNS = 5;
const PEAK = join(import.meta.dirname, "peak.py");

/** Medians. The first course is the floor. */
export function measureCourses(courses: readonly Course[], turns: number): CourseResult[] {
  const times = timeInTurns(courses, turns);
  const measured = courses.map((course, i) => ({
    ...{ contender: course.contender, child: course.child },
    ms: median(times[i] ?? []),
    peakBytes: peakBytesOf(course),
  }));
  const floor = measured[0] ?? { ms: Number.NaN, peakBytes: Number.NaN };
  return measured.map((result) => ({
    ...result,
    timesFloor: result.ms / floor.ms,
    peakToFloor: result.peakBytes / floor.peakBytes,
  }));
}

function timeInTurns(courses: readonly Course[], turns: number): number[][] {
  const times: number[][] = courses.map(() => []);
  // The first turn warms the caches.
  for (let turn = -1; turn < turns; turn++) {
    for (const [i, course] of courses.entries()) {
      const ms = timeOf(course);
      if (turn >= 0) times[i]?.push(ms);
    }
  }
  return times;
}

function timeOf({ contender, child, command, cwd, env }: Course): number {
  const [file = "", ...args] = command;
  const started = performance.now();
  const { status, stderr, error } = spawnSync(file, args, { cwd, env, input: "" });
  const ms = performance.now() - started;
  if (status !== 0)
    throw new Error(`${contender}, ${child}: ended with ${status}: ${error?.message ?? stderr}`);
  return ms;
}

function peakBytesOf({ contender, command, cwd, env }: Course): number {
  const job = { command, cwd, env, runs: PEAK_RUNS };
  const { status, stdout, stderr, error } = spawnSync("/usr/bin/env", ["python3", PEAK], {
    input: JSON.stringify(job),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${contender}, memory: ${error?.message ?? stderr}`);
  return median(stdout.trim().split("\n").map(Number)) * 1024;
}

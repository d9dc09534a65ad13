import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Bench } from "../redact/bench.ts";

const USAGE = join(import.meta.dirname, "usage.py");

/** What one run of a command took, with the processes that it waited for. */
export interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the largest process; 10^6 bytes. */
  readonly peakMb: number;
}

export function usageOf(bench: Bench, command: readonly string[], cwd: string): Usage {
  const input = JSON.stringify({ command, cwd, env: bench.env });
  const { status, stdout, stderr } = spawnSync("python3", [USAGE], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  const used = JSON.parse(stdout) as { seconds: number; cpu: number; peak: number };
  return { seconds: used.seconds, cpuSeconds: used.cpu, peakMb: (used.peak * 1024) / 1e6 };
}

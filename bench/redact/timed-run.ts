import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Bench } from "./bench.ts";
import type { Contender } from "./contenders.ts";

export interface Run {
  readonly wallMs: number;
  /** Of the launcher's process alone. */
  readonly peakBytes: number;
}

const POLL_MS = 5;

/** Runs a child through a contender, with its output thrown away. */
export async function timeRun(bench: Bench, contender: Contender, child: readonly string[]): Promise<Run> {
  const [file = "", ...args] = [...contender.launcher, ...child];
  const started = performance.now();
  const launched = spawn(file, args, {
    cwd: contender.cwd,
    env: bench.env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const errors: Buffer[] = [];
  launched.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  let peakBytes = 0;
  const poll = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakBytesOf(launched.pid));
  }, POLL_MS);
  const { status, wallMs } = await new Promise<{ status: number | null; wallMs: number }>((done, fail) => {
    launched.on("error", fail);
    launched.on("close", (status) => done({ status, wallMs: performance.now() - started }));
  }).finally(() => clearInterval(poll));
  if (status !== 0) throw new Error(`${contender.name} ended with ${status}: ${Buffer.concat(errors)}`);
  return { wallMs, peakBytes };
}

function peakBytesOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    // It has ended since.
    return 0;
  }
}

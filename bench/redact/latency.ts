import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Bench } from "./bench.ts";
import type { Contender, ContenderName } from "./contenders.ts";
import { median, quantile } from "./statistics.ts";

// From a child's write of a line to its arrival at whoever reads the launcher's output.

const LINES = 200;
const SPACING_MS = 5;
const NS_PER_US = 1000n;

export interface LatencyResult {
  readonly contender: ContenderName;
  readonly medianUs: number;
  readonly p95Us: number;
}

export async function measureLatency(
  bench: Bench,
  contenders: readonly Contender[],
  turns: number,
): Promise<LatencyResult[]> {
  const measured = contenders.map((contender) => ({ contender, us: [] as number[] }));
  for (let turn = 0; turn < turns; turn++) {
    for (const { contender, us } of measured) us.push(...(await timeLines(bench, contender)));
  }
  return measured.map(({ contender, us }) => ({
    contender: contender.name,
    medianUs: median(us),
    p95Us: quantile(us, 0.95),
  }));
}

async function timeLines(bench: Bench, { name, launcher, cwd }: Contender): Promise<number[]> {
  const script = join(import.meta.dirname, "timed-lines.js");
  const [file = "", ...args] = [...launcher, process.execPath, script, `${LINES}`, `${SPACING_MS}`];
  const launched = spawn(file, args, { cwd, env: bench.env, stdio: ["ignore", "pipe", "inherit"] });
  const us: number[] = [];
  createInterface({ input: launched.stdout }).on("line", (line) => {
    const arrived = process.hrtime.bigint();
    const written = /^written at (\d+) /.exec(line)?.[1];
    if (written !== undefined) us.push(Number((arrived - BigInt(written)) / NS_PER_US));
  });
  await once(launched, "close");
  if (us.length !== LINES) throw new Error(`${name} passed on ${us.length} of ${LINES} lines`);
  return us;
}

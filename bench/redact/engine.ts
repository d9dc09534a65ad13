import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import type { Build } from "./build-process.ts";
import type { Contender } from "./contenders.ts";
import type { Order, Timing } from "./engine-process.ts";
import { median, megabytesPerSecond } from "./statistics.ts";
import { TEXTS, type TextName } from "./texts.ts";
import { timeRun } from "./timed-run.ts";

// The redactor alone, without a vault or a child. Its processes run the sources as they stand: what a loader adds to
// them would be measured too.

export const SECRET_COUNTS = [5, 50, 500, 1000] as const;
export const CHUNK_BYTES = [65_536, 128] as const;
const BUILD_PROCESSES = 5;
const PIPED_BYTES = { 65536: 256_000_000, 128: 32_000_000 } as const;

/** `tokens` alone, or with them a key of ten lines in ten secrets and what else secrets.ts makes. */
export const SECRET_KINDS = ["tokens", "tokens and keys"] as const;

export interface BuildResult extends Build {
  readonly kind: (typeof SECRET_KINDS)[number];
  readonly secrets: number;
}

export function measureBuilds(): BuildResult[] {
  const builds = SECRET_KINDS.flatMap((kind) =>
    SECRET_COUNTS.map((secrets) => ({ kind, secrets, measured: [] as Build[] })),
  );
  for (let turn = 0; turn < BUILD_PROCESSES; turn++) {
    for (const { kind, secrets, measured } of builds) measured.push(buildOnce(secrets, kind));
  }
  return builds.map(({ kind, secrets, measured }) => ({
    kind,
    secrets,
    firstMs: median(measured.map(({ firstMs }) => firstMs)),
    laterMs: median(measured.map(({ laterMs }) => laterMs)),
    retainedBytes: median(measured.map(({ retainedBytes }) => retainedBytes)),
  }));
}

function buildOnce(secrets: number, kind: BuildResult["kind"]): Build {
  const script = join(import.meta.dirname, "build-process.ts");
  return JSON.parse(
    execFileSync(process.execPath, ["--expose-gc", script, `${secrets}`, kind], { encoding: "utf8" }),
  );
}

export interface ThroughputResult {
  readonly secrets: number;
  readonly text: TextName;
  readonly chunkBytes: number;
  readonly megabytesPerSecond: number;
  readonly toCopy: number;
  readonly toPlainPipe: number;
}

export interface EngineResult {
  readonly plainPipe: readonly { readonly chunkBytes: number; readonly megabytesPerSecond: number }[];
  readonly throughput: readonly ThroughputResult[];
}

interface ChunkGroup {
  readonly chunkBytes: (typeof CHUNK_BYTES)[number];
  readonly pipeSpeeds: number[];
  readonly combinations: readonly Combination[];
}

interface Combination {
  readonly secrets: number;
  readonly text: TextName;
  readonly speeds: number[];
  readonly toCopy: number[];
  readonly toPlainPipe: number[];
}

export async function measureEngine(bench: Bench, plain: Contender, turns: number): Promise<EngineResult> {
  const groups: readonly ChunkGroup[] = CHUNK_BYTES.map((chunkBytes) => ({
    chunkBytes,
    pipeSpeeds: [],
    combinations: TEXTS.flatMap((text) =>
      SECRET_COUNTS.map((secrets) => ({ secrets, text, speeds: [], toCopy: [], toPlainPipe: [] })),
    ),
  }));
  const engines = new Map<number, Engine>(SECRET_COUNTS.map((secrets) => [secrets, new Engine(secrets)]));
  try {
    for (let turn = -1; turn < turns; turn++) {
      // The first turn warms the code and the caches.
      for (const group of groups) await takeTurn(bench, plain, engines, group, turn >= 0);
    }
  } finally {
    for (const engine of engines.values()) engine.stop();
  }
  return {
    plainPipe: groups.map(({ chunkBytes, pipeSpeeds }) => ({
      chunkBytes,
      megabytesPerSecond: median(pipeSpeeds),
    })),
    throughput: groups.flatMap(({ chunkBytes, combinations }) =>
      combinations.map(({ secrets, text, speeds, toCopy, toPlainPipe }) => ({
        secrets,
        text,
        chunkBytes,
        megabytesPerSecond: median(speeds),
        toCopy: median(toCopy),
        toPlainPipe: median(toPlainPipe),
      })),
    ),
  };
}

async function takeTurn(
  bench: Bench,
  plain: Contender,
  engines: ReadonlyMap<number, Engine>,
  { chunkBytes, pipeSpeeds, combinations }: ChunkGroup,
  counts: boolean,
): Promise<void> {
  const pipeSpeed = await timePipe(bench, plain, chunkBytes);
  if (counts) pipeSpeeds.push(pipeSpeed);
  for (const { secrets, text, speeds, toCopy, toPlainPipe } of combinations) {
    const timing = await engines.get(secrets)?.time({ text, chunkBytes });
    if (timing === undefined || !counts) continue;
    const speed = megabytesPerSecond(timing.bytes, timing.engineMs);
    speeds.push(speed);
    toCopy.push(timing.copyMs / timing.engineMs);
    toPlainPipe.push(speed / pipeSpeed);
  }
}

class Engine {
  readonly #process: ChildProcess;

  constructor(secrets: number) {
    // This process may run under a loader; its children must not.
    this.#process = fork(join(import.meta.dirname, "engine-process.ts"), [`${secrets}`], { execArgv: [] });
  }

  time({ text, chunkBytes }: Order): Promise<Timing> {
    return new Promise((done, fail) => {
      const onExit = (): void => fail(new Error(`the engine's process ended over ${text}`));
      this.#process.once("exit", onExit);
      this.#process.once("message", (timing: Timing) => {
        this.#process.off("exit", onExit);
        done(timing);
      });
      this.#process.send({ text, chunkBytes } satisfies Order);
    });
  }

  stop(): void {
    this.#process.kill();
  }
}

// What a child that writes in such chunks gets through a pipe that only passes it on. What it writes does not matter.
async function timePipe(
  bench: Bench,
  plain: Contender,
  chunkBytes: (typeof CHUNK_BYTES)[number],
): Promise<number> {
  const bytes = PIPED_BYTES[chunkBytes];
  const count = Math.floor(bytes / chunkBytes);
  const writer = ["dd", "if=/dev/zero", `bs=${chunkBytes}`, `count=${count}`, "status=none"];
  const launch = await timeRun(bench, plain, ["true"]);
  const run = await timeRun(bench, plain, writer);
  return megabytesPerSecond(count * chunkBytes, run.wallMs - launch.wallMs);
}

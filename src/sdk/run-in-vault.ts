import { Writable } from "node:stream";
import type { Destination } from "../launch/passed-on.ts";
import { runProgram } from "../launch/run-program.ts";
import { writtenWhole } from "../launch/standard-streams.ts";
import { AgentKey } from "./agent-key.ts";
import type { Output, RunOptions, RunResult } from "./run.ts";
import { requireRun } from "./run-options.ts";

export async function runInVault(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  requireRun(command, args, options);
  const input = inputOf(options);
  const out = outputOf(options.stdout, "stdout");
  const err = outputOf(options.stderr, "stderr");
  options.signal?.throwIfAborted();
  const key = await AgentKey.find(options);
  const { machine, warn } = key;
  const { allowExpired = false, cleanEnv = false, strictEnv = false } = options;
  const { group = [], only = [], pass = [], cwd = machine.cwd, onLeak = "report", signal } = options;
  const wanted = {
    group,
    only,
    env: mappings(options.inject),
    file: mappings(options.file),
    pipe: mappings(options.pipe),
    allowExpired,
  };
  const surroundings = { cwd, parentEnv: options.env ?? machine.env, cleanEnv, pass, strictEnv };
  const streams = { input, stdout: out.to, stderr: err.to };
  const program = {
    command: [command, ...args],
    ...wanted,
    ...surroundings,
    ...streams,
    onLeak,
    signal,
  } as const;
  const end = await key.use((session) => runProgram(session, program, machine, warn));
  return { ...end, stdout: out.captured(), stderr: err.captured() };
}

function mappings(places: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(places).map(([variable, ref]) => `${variable}=${ref}`);
}

function inputOf({ stdin, input }: RunOptions): "inherit" | "ignore" | Uint8Array {
  if (input === undefined) return stdin ?? "inherit";
  return typeof input === "string" ? Buffer.from(input) : input;
}

interface Taken {
  readonly to: Destination | undefined;
  captured(): Buffer;
}

function outputOf(output: Output = "inherit", own: "stdout" | "stderr"): Taken {
  const captured = () => Buffer.alloc(0);
  if (output === "ignore") return { to: undefined, captured };
  if (output === "inherit") return { to: { stream: ownStream(own), isWatched: false }, captured };
  if (output !== "capture") return { to: { stream: output, isWatched: true }, captured };
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // What is passed on may be a part of what was read, which is read into again.
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { to: { stream, isWatched: false }, captured: () => Buffer.concat(chunks) };
}

function ownStream(own: "stdout" | "stderr"): Writable {
  const stream = writtenWhole(process[own]);
  // What writes to it is told of a failure; the process's own stream is left alone.
  return stream === process[own] ? stream : stream.on("error", () => {});
}

import { Stream, Writable } from "node:stream";
import { requireKnown } from "../known-options.ts";
import { runProgram } from "../launch/run-program.ts";
import { AgentKey } from "./agent-key.ts";
import { AGENT_OPTIONS, requireText } from "./options.ts";
import type { Output, RunOptions, RunResult } from "./run.ts";

const RUN_OPTIONS = [
  ...AGENT_OPTIONS,
  "group",
  "only",
  "inject",
  "file",
  "pipe",
  "env",
  "cleanEnv",
  "pass",
  "strictEnv",
  "allowExpired",
  "cwd",
  "stdin",
  "input",
  "stdout",
  "stderr",
  "onLeak",
  "signal",
];

export async function runInVault(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  requireKnown(options, RUN_OPTIONS);
  for (const word of [command, ...args]) requireText(word ?? null, "a word of the command");
  requireSelection(options);
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
  const streams = { input, stdout: out.stream, stderr: err.stream };
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

/** An empty list asks for nothing, where one that is left out asks for everything. */
function requireSelection(options: RunOptions): void {
  for (const name of ["group", "only"] as const) {
    const list = options[name];
    if (list === undefined) continue;
    if (!Array.isArray(list) || !list.every((text) => typeof text === "string"))
      throw new TypeError(`${name} is not a list of strings`);
    if (list.length === 0) throw new TypeError(`${name} is an empty list: leave it out to inject everything`);
  }
  requireText(options.cwd, "cwd");
  if (options.onLeak !== undefined && options.onLeak !== "report" && options.onLeak !== "kill")
    throw new TypeError('onLeak is neither "report" nor "kill"');
}

function mappings(places: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(places).map(([variable, ref]) => `${variable}=${ref}`);
}

function inputOf({ stdin, input }: RunOptions): "inherit" | "ignore" | Uint8Array {
  if (input === undefined) return stdin ?? "inherit";
  if (stdin !== undefined) throw new TypeError("stdin and input exclude each other");
  return typeof input === "string" ? Buffer.from(input) : input;
}

interface Destination {
  readonly stream: Writable | undefined;
  captured(): Buffer;
}

function outputOf(output: Output = "inherit", own: "stdout" | "stderr"): Destination {
  const none = () => Buffer.alloc(0);
  if (output === "ignore") return { stream: undefined, captured: none };
  if (output === "inherit") return { stream: process[own], captured: none };
  if (output !== "capture") {
    if (!(output instanceof Stream))
      throw new TypeError(`${own} is none of "inherit", "ignore", "capture" and a stream`);
    return { stream: output, captured: none };
  }
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // What is passed on may be a part of what was read, which is read into again.
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, captured: () => Buffer.concat(chunks) };
}

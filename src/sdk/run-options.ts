import { isWritable } from "node:stream";
import { requireKnown } from "../known-options.ts";
import { AGENT_OPTIONS, requireAgentOptions, requireText, requireTextList } from "./options.ts";
import type { Output, RunOptions } from "./run.ts";

// All that can be wrong with what `run` is given, before a key is looked for: what would fail later would do so with values
// opened, a pull recorded, or a program running.

const LISTS = ["group", "only", "pass"] as const;
const PLACES = ["inject", "file", "pipe"] as const;
const SWITCHES = ["cleanEnv", "strictEnv", "allowExpired"] as const;
const OUTPUTS = ["stdout", "stderr"] as const;
const RUN_OPTIONS = [
  ...AGENT_OPTIONS,
  ...LISTS,
  ...PLACES,
  ...SWITCHES,
  ...OUTPUTS,
  "env",
  "cwd",
  "stdin",
  "input",
  "onLeak",
  "signal",
];

/** @throws {TypeError} */
export function requireRun(command: string, args: readonly string[], options: RunOptions): void {
  requireKnown(options, RUN_OPTIONS);
  requireAgentOptions(options);
  requireCommand(command, args);
  requireSelection(options);
  for (const name of SWITCHES) {
    const given: unknown = options[name];
    if (given !== undefined && typeof given !== "boolean")
      throw new TypeError(`${name} is neither true nor false`);
  }
  requireTexts(options.env, "env");
  requireText(options.cwd, "cwd");
  if (options.onLeak !== undefined && options.onLeak !== "report" && options.onLeak !== "kill")
    throw new TypeError('onLeak is neither "report" nor "kill"');
  requireSignal(options.signal);
  requireInput(options);
  for (const name of OUTPUTS) requireOutput(options[name], name);
}

function requireCommand(command: string, args: readonly string[]): void {
  if (!Array.isArray(args)) throw new TypeError("args is not a list of strings");
  for (const word of [command, ...args]) {
    requireText(word ?? null, "a word of the command");
    if (word.includes("\0")) throw new TypeError("a word of the command holds U+0000");
  }
  if (command === "") throw new TypeError("the command is empty");
}

/** An empty list asks for nothing, where one that is left out asks for everything. */
function requireSelection(options: RunOptions): void {
  for (const name of LISTS) {
    const list = options[name];
    if (list === undefined) continue;
    requireTextList(list, name);
    if (list.length === 0 && name !== "pass")
      throw new TypeError(`${name} is an empty list: leave it out to inject everything`);
  }
  for (const name of PLACES) requireTexts(options[name], name, false);
}

/** @param mayLack whether one may be undefined, which is as good as left out. */
function requireTexts(texts: unknown, what: string, mayLack = true): void {
  if (texts === undefined) return;
  if (typeof texts !== "object" || texts === null || Array.isArray(texts))
    throw new TypeError(`${what} is not an object of strings`);
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text === "string" ? text.includes("\0") : text !== undefined || !mayLack)
      throw new TypeError(`${what}: ${JSON.stringify(name)} is not a string without U+0000`);
  }
}

/** Also one that is not of node's own making. */
function requireSignal(signal: Partial<AbortSignal> | undefined): void {
  if (signal === undefined) return;
  const isSignal =
    typeof signal?.aborted === "boolean" &&
    typeof signal.throwIfAborted === "function" &&
    typeof signal.addEventListener === "function" &&
    typeof signal.removeEventListener === "function";
  if (!isSignal) throw new TypeError("signal is not an AbortSignal");
}

function requireInput({ stdin, input }: RunOptions): void {
  if (stdin !== undefined && stdin !== "inherit" && stdin !== "ignore")
    throw new TypeError('stdin is neither "inherit" nor "ignore"');
  if (input === undefined) return;
  if (stdin !== undefined) throw new TypeError("stdin and input exclude each other");
  if (typeof input !== "string" && !(input instanceof Uint8Array))
    throw new TypeError("input is neither text nor bytes");
}

function requireOutput(output: Output | undefined, name: string): void {
  if (output === undefined || output === "inherit" || output === "ignore" || output === "capture") return;
  const writable = typeof output === "object" && output !== null ? isWritable(output) : null;
  if (writable === null)
    throw new TypeError(`${name} is none of "inherit", "ignore", "capture" and a stream that can be written`);
  if (!writable) throw new TypeError(`${name} is a stream that takes no more: it was ended or has failed`);
}

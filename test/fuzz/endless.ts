import { workerData } from "node:worker_threads";
import { SharedInput } from "./watch.ts";

// A thread that comes to no end with its input, in one of the ways that there are.

const { way, memory } = workerData as { readonly way: string; readonly memory: SharedArrayBuffer };
const shared = new SharedInput(memory);
shared.begin(Buffer.from("the first input, a longer one"));
shared.end();
shared.begin(Buffer.from("the last input"));
if (way === "goes round") for (;;);
if (way === "backtracks") /^(?:a+)+$/.test(`${"a".repeat(60)}b`);
if (way === "takes all memory")
  for (const all: number[][] = []; ; ) all.push(new Array(100_000).fill(all.length));
if (way === "throws") throw new RangeError("no error of the reader's");
if (way === "waits, and looks") setInterval(() => {}, 1000);
await new Promise(() => {});

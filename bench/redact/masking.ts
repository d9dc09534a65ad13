import { join } from "node:path";
import type { Bench } from "./bench.ts";
import type { Contender, ContenderName } from "./contenders.ts";
import { isUnchanged } from "./end-to-end.ts";
import { seededBytes } from "./random.ts";
import type { BenchSecret } from "./secrets.ts";

// What each launcher masks: a figure of one that masks nothing would mean nothing.

const CASES = {
  value: ["plain"],
  "multi-line value": ["plain"],
  base64: ["base64"],
  "split, 30 ms apart": ["split", "30"],
  "split, 200 ms apart": ["split", "200"],
} as const;
export type MaskingCase = keyof typeof CASES;
export const MASKING_CASES = Object.keys(CASES) as readonly MaskingCase[];

export interface MaskingResult {
  readonly contender: ContenderName;
  readonly masked: readonly MaskingCase[];
  /** What is printed in place of the value. */
  readonly mask: string;
  readonly binaryUnchanged: boolean;
}

export function checkMasking(
  bench: Bench,
  contenders: readonly Contender[],
  secrets: readonly BenchSecret[],
): MaskingResult[] {
  const binary = bench.file("binary", seededBytes("binary", 1_000_000));
  const [token] = secrets;
  const key = secrets.find(({ value }) => value.includes("\n"));
  if (token === undefined || key === undefined) throw new TypeError("no secrets to look for");
  return contenders.map((contender) => {
    const outputs = MASKING_CASES.map((name) => {
      const secret = name === "multi-line value" ? key : token;
      return { name, secret, output: print(bench, contender, secret, CASES[name]) };
    });
    const masked = outputs.filter(({ name, secret, output }) => !shows(output, name, secret));
    return {
      contender: contender.name,
      masked: masked.map(({ name }) => name),
      mask: outputs[0]?.output.trim() ?? "",
      binaryUnchanged: isUnchanged(bench, contender, binary),
    };
  });
}

function print(
  bench: Bench,
  { launcher, cwd }: Contender,
  { variable }: BenchSecret,
  words: readonly string[],
): string {
  const child = [process.execPath, join(import.meta.dirname, "leaky-child.js"), variable, ...words];
  return bench.run([...launcher, ...child], cwd).toString();
}

// Of a value of several lines each whole line is one too many.
function shows(output: string, name: MaskingCase, { value }: BenchSecret): boolean {
  if (name === "base64") return output.includes(Buffer.from(value).toString("base64").slice(0, 40));
  const lines = value.split("\n");
  return (lines.length > 2 ? lines.slice(1, -1) : lines).some((line) => output.includes(line));
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RESULTS = join(import.meta.dirname, "../results");

interface Named {
  readonly name: string;
  readonly version: string;
}

/** Asks everything of everyone, prints a table for the documentation as the answers come, and keeps them as `results/NAME.json`. */
export async function answer<T extends Named>(
  name: string,
  asked: readonly T[],
  measures: Readonly<Record<string, (of: T) => Promise<string>>>,
): Promise<void> {
  const rows: Record<string, Record<string, string>> = {};
  console.log(`| | ${asked.map((each) => `${each.name} ${each.version}`.trim()).join(" | ")} |`);
  console.log(`|---|${asked.map(() => "---|").join("")}`);
  for (const [question, measure] of Object.entries(measures)) {
    const answers: Record<string, string> = {};
    for (const each of asked) answers[each.name] = await measure(each);
    rows[question] = answers;
    console.log(`| ${question} | ${Object.values(answers).join(" | ")} |`);
  }
  const versions = Object.fromEntries(asked.map((each) => [each.name, each.version]));
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, `${name}.json`),
    `${JSON.stringify({ node: process.version, versions, rows }, undefined, 2)}\n`,
  );
}

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { processesOf } from "../fixtures/process-state.ts";
import { Program } from "../fixtures/program.ts";
import { SIZE } from "./size.ts";
import { readTotals } from "./totals.ts";

const VALUE = "a-value-that-no-file-may-hold";
// The ways in which a launch delivers, and ends.
const WAYS = [
  ["--", "sh", "-c", 'test "$KEY" = "$0"', VALUE],
  ["--file", "PLACE=app/KEY", "--", "sh", "-c", 'test "$(cat "$PLACE")" = "$0"', VALUE],
  ["--pipe", "PLACE=app/KEY", "--", "sh", "-c", 'test "$(cat "$PLACE")" = "$0"', VALUE],
  ["--no-redact", "--", "sh", "-c", 'test "$KEY" = "$0"', VALUE],
] as const;

let program: Program;
let tmp: string;
beforeAll(async () => {
  program = Program.lasting();
  tmp = join(program.home, "tmp");
  mkdirSync(tmp);
  await program.must(["init"]);
  await program.must(["add-agent", "crawler"]);
  await program.set("app/KEY", VALUE);
  await program.must(["grant", "crawler", "app"]);
  // What the first launch of a machine writes, and the first reading of its log: pins, the log, what was verified.
  await launch(0);
  await readTotals(program);
});

describe("launches", () => {
  it(`leave nothing but their lines, ${SIZE.launches} in a row (promises 1 and 11)`, {
    timeout: 3_600_000,
  }, async () => {
    const before = files();
    const { launch: lines = 0 } = (await readTotals(program)).actions;
    for (let turn = 0; turn < SIZE.launches; turn++) await launch(turn);
    expect(files()).toEqual(before);
    await expectLines(lines + SIZE.launches);
  });

  it(`leave nothing but their lines, ${SIZE.atOnce} at once (promises 1 and 11)`, {
    timeout: 1_800_000,
  }, async () => {
    const before = files();
    const { launch: lines = 0 } = (await readTotals(program)).actions;
    await Promise.all(Array.from({ length: SIZE.atOnce }, (_, turn) => launch(turn)));
    expect(files()).toEqual(before);
    await expectLines(lines + SIZE.atOnce);
  });
});

async function launch(turn: number): Promise<void> {
  const way = WAYS[turn % WAYS.length] ?? WAYS[0];
  const outcome = await program.run(["--agent", "crawler", ...way], { env: { TMPDIR: tmp } });
  expect(outcome).toEqual({ status: 0, signal: undefined, stdout: "", stderr: "" });
}

/** All that is in the home but for the log's segments, of which there are more as it grows. */
function files(): string[] {
  const all = readdirSync(program.home, { recursive: true, encoding: "utf8" });
  return all.filter((name) => !/audit\.\d+\.jsonl$/.test(name)).sort();
}

async function expectLines(count: number): Promise<void> {
  expect(processesOf(program.home)).toEqual([]);
  const { actions, findings } = await readTotals(program);
  expect(findings).toEqual({});
  expect(actions.launch).toBe(count);
}

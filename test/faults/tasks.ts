import { hash } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import {
  BEFORE,
  breakableVault,
  expectTidy,
  look,
  mustRun,
  NEXT,
  OPERATIONS,
  type Sight,
} from "../fixtures/breakable-vault.ts";
import { type Outcome, Program } from "../fixtures/program.ts";
import type { Verb } from "../fixtures/system-calls.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";
import { readTotals } from "../load/totals.ts";

// What is done to a vault while something fails, and what must hold whatever failed.

export interface Task {
  readonly name: string;
  readonly verb: Verb;
  /** What the vault is once it is done. */
  readonly after: Sight;
  readonly again?: string;
}

const CHILD = 'echo started > "$HOME/started"; printf %s "$A" | sha256sum';
export const LAUNCH: Task = {
  name: "a launch",
  verb: { args: ["--agent", "stays", "--", "sh", "-c", CHILD] },
  after: BEFORE,
};
const COMING = { ...BEFORE, A: "value-of-another-machine" };
const SYNC: Task = { name: "sync", verb: { args: ["sync"] }, after: COMING };
export const TASKS: readonly Task[] = [
  LAUNCH,
  ...OPERATIONS,
  { name: "audit push", verb: { args: ["audit", "push"] }, after: BEFORE },
  SYNC,
];

/** A vault with a remote, where a change of another machine of the owner's waits. */
export async function sharedVault(): Promise<Program> {
  const program = await breakableVault();
  program.git("init", "--quiet", "--bare", "--initial-branch=main", "../remote.git");
  program.git("remote", "add", "origin", "../remote.git");
  program.git("push", "--quiet", "--set-upstream", "origin", "main");
  const folder = keptTempFolder();
  cpSync(program.home, folder, { recursive: true });
  const other = Program.at(folder);
  await other.set("group/A", COMING.A);
  other.git("push", "--quiet", join(program.home, "remote.git"), "main");
  rmSync(folder, { recursive: true });
  program.git("fetch", "--quiet");
  return program;
}

/** One line of what went wrong and one of what to do, at the end; no trace of the program's own, and no value. */
export function expectClear({ stderr, stdout, status }: Outcome): void {
  expect(stdout + stderr).not.toContain("value-of-");
  expect(stderr).not.toMatch(/^ {4}at |^node:|Error:|unexpected/m);
  if (status === 0) return;
  const lines = stderr.trimEnd().split("\n");
  expect(lines.at(-1), stderr).toMatch(/^ {2}\S/);
  expect(lines.at(-2), stderr).toMatch(/^vault-run: [a-z]/);
}

/** Promise 1. */
export async function expectNoValueIn(folder: string): Promise<void> {
  const { stdout } = await execa("grep", ["-rlaF", "value-of-", folder], { reject: false });
  expect(stdout).toBe("");
}

/** @param ended how the task ended that something befell; undefined where it was killed. */
export async function expectSound(program: Program, task: Task, ended: Outcome | undefined): Promise<void> {
  await expectNoValueIn(program.home);
  if (ended !== undefined) expectClear(ended);
  if (task === LAUNCH) expectLaunched(program, ended);
  else if (ended !== undefined) expect([0, 1]).toContain(ended.status);

  await mustRun(program, NEXT.verb);
  const sight = await look(program);
  expect([NEXT.on(BEFORE), NEXT.on(task.after)]).toContainEqual(sight);
  if (ended?.status === 0) expect(sight).toEqual(NEXT.on(task.after));
  const { status, stderr } = await program.run(task.verb.args, { input: task.verb.input ?? "" });
  if (status !== 0) expect(stderr).toContain(task.again ?? "nothing else is refused");
  expect(await look(program)).toEqual(NEXT.on(task.after));
  await expectTidy(program);
  const { findings } = await readTotals(program);
  // Half a line is one, and is said to be.
  expect(Object.keys(findings).filter((kind) => kind !== "torn")).toEqual([]);
}

/** Promises 2, 11 and 12: all of it, recorded before, or nothing. */
function expectLaunched(program: Program, ended: Outcome | undefined): void {
  const isStarted = existsSync(join(program.home, "started"));
  if (ended !== undefined) expect(ended.status).toBe(isStarted ? 0 : 125);
  if (!isStarted) return;
  if (ended !== undefined) expect(ended.stdout).toBe(`${hash("sha256", BEFORE.A)}  -\n`);
  expect(readFileSync(program.auditLog, "latin1")).toMatch(/"action":"launch"/);
}

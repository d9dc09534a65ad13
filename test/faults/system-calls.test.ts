import { describe, expect, it } from "vitest";
import { onCopies } from "../fixtures/breakable-vault.ts";
import { type Call, FaultyLibc } from "./faulty.ts";
import { expectSound, sharedVault, TASKS } from "./tasks.ts";

// Every call of the program to a file of the vault, of git's folder, of its keys, pins and log fails in every way that calls
// fail in, one at a time: a few of them in each run, all with `npm run faults`. Whatever failed, the verb ends as it is
// documented to, tells it in one clear line, writes no value anywhere, and leaves what the next verb finishes or undoes.

/** How many for each verb: a number, or "all". */
const { FAULTS = "5" } = process.env;
const DOES: Record<string, readonly string[]> = {
  open: ["EIO", "EINTR", "EMFILE", "ENOMEM", "kill"],
  create: ["EIO", "EINTR", "EMFILE", "ENOSPC", "EROFS", "kill"],
  read: ["EIO", "EINTR", "EAGAIN", "short", "kill"],
  write: ["EIO", "EINTR", "EAGAIN", "ENOSPC", "short", "kill"],
  fsync: ["EIO", "EINTR", "ENOSPC", "kill"],
  ftruncate: ["EIO", "kill"],
  rename: ["EIO", "ENOSPC", "EROFS", "kill"],
  link: ["EIO", "ENOSPC", "EROFS", "kill"],
  unlink: ["EIO", "EROFS", "kill"],
  mkdir: ["EIO", "ENOSPC", "EROFS", "kill"],
  rmdir: ["EIO", "kill"],
};

const template = await sharedVault();
const libc = await FaultyLibc.build();

interface Case extends Call {
  readonly does: string;
}

/** Spread over the whole run and over the ways to fail. */
function casesOf(calls: readonly Call[]): Case[] {
  const all = calls.flatMap((call) => (DOES[call.call] ?? []).map((does) => ({ ...call, does })));
  const count = FAULTS === "all" ? all.length : Number(FAULTS);
  return Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]!);
}

describe.each(TASKS)("$name", (task) => {
  it("is all or nothing, clear and silent about values, whichever call fails (promises 1, 2, 8, 10 to 12)", {
    timeout: 36_000_000,
  }, async () => {
    const calls = await libc.record(template.copy(), task.verb);
    expect(calls.length).toBeGreaterThan(20);
    const seen = { done: 0, refused: 0, killed: 0 };
    const wrong: string[] = [];
    await onCopies(template, casesOf(calls), async (program, fault) => {
      const outcome = await libc.runWith(program, task.verb, fault);
      const isKilled = outcome.signal === "SIGKILL";
      seen[isKilled ? "killed" : outcome.status === 0 ? "done" : "refused"]++;
      try {
        await expectSound(program, task, isKilled ? undefined : outcome);
      } catch (error) {
        const { does, call, to, at } = fault;
        wrong.push(`${does} at ${call} ${to} (${at}), status ${outcome.status}: ${error}\n${outcome.stderr}`);
      }
    });
    if (process.env.FAULTS !== undefined)
      process.stderr.write(`${task.name}: ${calls.length} calls, ${JSON.stringify(seen)}\n`);
    expect(wrong).toEqual([]);
    expect(seen.refused + seen.killed).toBeGreaterThan(0);
  });
});

describe("a call that fails where nobody expects it", () => {
  it.each(["EIO", "EAGAIN"])("with %s is the machine's fault, and said to be", async (does) => {
    const program = template.copy();
    const { verb } = TASKS.find(({ name }) => name === "revoke")!;
    const before = program.snapshot();
    const calls = await libc.record(template.copy(), verb);
    const { at } = calls.find(({ call, to }) => call === "read" && to === "repo/.vault/.gitattributes")!;
    const outcome = await libc.runWith(program, verb, { at, does });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toBe(
      `vault-run: the system refused a call (read, ${does})\n` +
        "  look at this machine's disk and memory, and run the command again\n",
    );
    expect(program.snapshot()).toBe(before);
  });

  it("is no reason to take back what sync brought, once that is pinned in part", async () => {
    const task = TASKS.find(({ name }) => name === "sync")!;
    const calls = await libc.record(template.copy(), task.verb);
    const { at } = calls.find(({ call, to }) => call === "open" && /\/pins\/groups$/.test(to))!;
    const program = template.copy();
    const outcome = await libc.runWith(program, task.verb, { at, does: "EIO" });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(
      /^vault-run: what came is in your branch, but it is not pinned on this machine yet: cannot write \(EIO\): /m,
    );
    await expectSound(program, task, outcome);
  });
});

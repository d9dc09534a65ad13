import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  for (const agent of ["leaves", "stays"]) await made.must(["add-agent", agent]);
  for (const name of ["A", "B", "C", "D"]) await made.set(`group/${name}`, `value-of-${name}`);
  for (const agent of ["leaves", "stays"]) await made.must(["grant", agent, "group"]);
});

const MOMENTS = 12;

describe("a revoke that is killed at any moment (promise 8, A15)", () => {
  it("is there whole or not at all, and the next verb mends what it left", { timeout: 300_000 }, async () => {
    const started = performance.now();
    await template.copy().must(["revoke", "leaves", "group"]);
    const wholeMs = performance.now() - started;
    const seen = { done: 0, not: 0 };
    // Through the whole of it, and on until one was through: how long it takes differs from run to run.
    for (let step = 1; step <= MOMENTS || (seen.done === 0 && step <= 4 * MOMENTS); step++) {
      const delayMs = (wholeMs * step) / MOMENTS;
      const program = template.copy();
      const victim = program.start(["revoke", "leaves", "group"], { input: "", detached: true });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      // Its git with it, as when a container is stopped.
      killGroup(victim.pid);
      await victim;
      await settle(program);
      expect(program.git("status", "--porcelain", "--untracked-files=all")).toBe("");
      const { groups } = JSON.parse(await program.must(["status", "--json"]));
      const epoch = groups.find((group: { name: string }) => group.name === "group").epoch;
      seen[epoch === 2 ? "done" : "not"]++;
      for (const name of ["A", "B", "C", "D"])
        expect(await program.must(["get", `group/${name}`])).toBe(`value-of-${name}`);
      const left = await program.run(["--agent", "leaves", "--", "true"]);
      expect(left.status).toBe(epoch === 2 ? 125 : 0);
      expect((await program.run(["--agent", "stays", "--", "true"])).status).toBe(0);
      expect(readdirSync(join(program.repo, ".vault")).filter((name) => name.startsWith(".draft"))).toEqual(
        [],
      );
    }
    expect(seen.done).toBeGreaterThan(0);
    expect(seen.not).toBeGreaterThan(0);
  });
});

function killGroup(pid: number | undefined): void {
  try {
    process.kill(-(pid ?? Number.NaN), "SIGKILL");
  } catch {
    // It had ended before.
  }
}

/** The next verb. A git that was killed leaves its lock, which vault-run names and a person removes. */
async function settle(program: Program): Promise<void> {
  const lock = join(program.repo, ".git/index.lock");
  const next = await program.run(["set", "other/X"], { input: "value-of-x" });
  if (next.status === 0) return;
  expect(next.stderr).toContain("index.lock");
  expect(existsSync(lock)).toBe(true);
  program.removeLock();
  await program.must(["set", "other/X"], { input: "value-of-x" });
}

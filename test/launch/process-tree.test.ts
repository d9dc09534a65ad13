import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { identify } from "../../src/launch/process-stat.ts";
import { childrenOf, killRest, sendTo, stateOf } from "../../src/launch/process-tree.ts";

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** A process that leads a session of its own and ends with nothing but a signal. */
async function sleeper(): Promise<number> {
  const child = spawn("sleep", ["3600"], { stdio: "ignore", detached: true });
  started.push(child);
  await once(child, "spawn");
  return child.pid as number;
}

const NO_MARK = "VAULT_RUN_CALL=of no process";

it("sends a signal to the process that was found, and to no later one of its number", async () => {
  const pid = await sleeper();
  const found = identify(pid);
  sendTo({ pid, startedAt: `${Number(found.startedAt) - 1}` }, "SIGSTOP");
  sendTo({ pid, startedAt: `${Number(found.startedAt) - 1}` }, "SIGSTOP", "group");
  expect(stateOf(pid)).not.toBe("T");
  sendTo(found, "SIGSTOP");
  await expect.poll(() => stateOf(pid)).toBe("T");
  expect(childrenOf(process.pid)).toContainEqual(expect.objectContaining(found));
});

it("kills what an ended program left in its group, whatever that has in its environment", async () => {
  const script = "env -i sleep 3600 & echo $!";
  const leader = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  const ended = once(leader, "exit");
  const [left] = (await once(leader.stdout, "data")) as [Buffer];
  leader.stdout.destroy();
  await ended;
  await killRest(leader.pid as number, NO_MARK);
  expect([undefined, "Z", "X"]).toContain(stateOf(Number(left)));
});

it("leaves the group alone that a later process of an ended program's number leads", async () => {
  // To whoever waited for a program of this number, this process is a later one.
  const later = await sleeper();
  await killRest(later, NO_MARK);
  expect(stateOf(later)).not.toMatch(/[TZX]/);
});

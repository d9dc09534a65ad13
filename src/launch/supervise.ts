import type { ChildProcess } from "node:child_process";
import { type Child, type Supervision, startProcess, stdioOf } from "./child.ts";
import { exitStatus } from "./exit-status.ts";
import type { Outputs } from "./outputs.ts";
import { killTree } from "./process-tree.ts";
import type { Protection } from "./protection.ts";
import { Relay } from "./relay.ts";
import { hasControllingTerminal, pendingSignals } from "./signals.ts";
import type { RedactedStream } from "./stream.ts";

/**
 * Runs the child to its end.
 *
 * @returns its exit status, 128 + n where signal n ended it.
 * @throws {SpawnFailure} when no child was started.
 */
export async function supervise(child: Child, outputs: Outputs, around: Supervision): Promise<number> {
  const leadsOwnGroup = !hasControllingTerminal();
  await pendingSignals();
  const relay = new Relay(around.signals, leadsOwnGroup);
  try {
    const running = await start(child, outputs, leadsOwnGroup, around.protection);
    const { pid } = running;
    if (pid === undefined) throw new TypeError("a child without a process");
    around.kill.addEventListener("abort", () => killTree(running));
    const streams = outputs.take(running);
    around.started(pid);
    relay.begin(pid, () => Promise.all(streams.map((stream) => stream.settle())));
    return await untilEnd(running, streams, (giveUp) => relay.childEnded(giveUp));
  } finally {
    relay.end();
  }
}

/**
 * Resolves to the exit status, once all that the child wrote has been passed on.
 *
 * @param ended told when the child has, and given what makes us wait for a slow reader no longer.
 */
export async function untilEnd(
  child: ChildProcess,
  streams: readonly RedactedStream[],
  ended: (giveUp: () => void) => void,
): Promise<number> {
  const status = await exitStatus(child, streams);
  ended(() => {
    for (const stream of streams) stream.giveUp();
  });
  await Promise.all(streams.map((stream) => stream.finish()));
  return status;
}

async function start(
  { command, cwd, env, descriptors }: Child,
  { ends: [stdout, stderr], abandon }: Outputs,
  leadsOwnGroup: boolean,
  protection: Protection,
): Promise<ChildProcess> {
  const [file, ...args] = command;
  const stdio = stdioOf<"inherit" | "pipe" | number>(["inherit", stdout, stderr], descriptors);
  try {
    const options = { cwd, env: { ...env }, stdio, detached: leadsOwnGroup };
    return await startProcess(file, args, options, protection);
  } catch (error) {
    abandon();
    throw error;
  }
}

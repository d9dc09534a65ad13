import type { ChildProcess } from "node:child_process";
import { constants as os } from "node:os";
import { type Child, type Supervision, startProcess, stdioOf } from "./child.ts";
import { killTree } from "./process-tree.ts";
import { FORWARDED, hasControllingTerminal, kernelDelivers, listen, send } from "./signals.ts";
import { RedactedStream } from "./stream.ts";

/**
 * Runs the child to its end, its output passing through pipes and filters.
 *
 * @returns its exit status, 128 + n where signal n ended it.
 * @throws {SpawnFailure} when no child was started.
 */
export async function supervise(child: Child, around: Supervision): Promise<number> {
  const { streams, filter, warn } = around;
  const leadsOwnGroup = !hasControllingTerminal();
  const forwarder = new Forwarder(leadsOwnGroup);
  // Before the child is there: a signal that comes while it starts must reach it, not end us and leave it alone.
  const listening = listen(around.signals, FORWARDED, (signal) => forwarder.forward(signal));
  try {
    const running = await start(child, leadsOwnGroup);
    const { stdout, stderr, pid } = running;
    if (stdout === null || stderr === null || pid === undefined)
      throw new TypeError("the child's streams are not pipes");
    around.kill.addEventListener("abort", () => killTree(pid));
    forwarder.begin(pid);
    return await untilEnd(running, [
      new RedactedStream(stdout, streams.stdout, filter("stdout"), warn),
      new RedactedStream(stderr, streams.stderr, filter("stderr"), warn),
    ]);
  } finally {
    listening.stop();
  }
}

/** Resolves to the exit status, once all that the child wrote has been passed on. */
export async function untilEnd(child: ChildProcess, streams: readonly RedactedStream[]): Promise<number> {
  const status = await new Promise<number>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : os.signals[signal])));
  });
  await Promise.all(streams.map((stream) => stream.finish()));
  return status;
}

/** Passes signals on to the child; those that come before it is there wait for it. */
class Forwarder {
  readonly #leadsOwnGroup: boolean;
  readonly #waiting: NodeJS.Signals[] = [];
  #pid: number | undefined;

  constructor(leadsOwnGroup: boolean) {
    this.#leadsOwnGroup = leadsOwnGroup;
  }

  begin(pid: number): void {
    this.#pid = pid;
    for (const signal of this.#waiting.splice(0)) this.forward(signal);
  }

  forward(signal: NodeJS.Signals): void {
    if (!this.#leadsOwnGroup && kernelDelivers(signal)) return;
    if (this.#pid === undefined) {
      this.#waiting.push(signal);
      return;
    }
    send(this.#leadsOwnGroup ? -this.#pid : this.#pid, signal);
  }
}

function start({ command, cwd, env, descriptors }: Child, leadsOwnGroup: boolean): Promise<ChildProcess> {
  const [file, ...args] = command;
  const stdio = stdioOf<"inherit" | "pipe">(["inherit", "pipe", "pipe"], descriptors);
  return startProcess(file, args, { cwd, env: { ...env }, stdio, detached: leadsOwnGroup });
}

import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { type Child, type Filters, startProcess, stdioOf } from "./child.ts";
import { exitStatus } from "./exit-status.ts";
import type { Orphans } from "./orphans.ts";
import { killRest, killTree } from "./process-tree.ts";
import type { Protection } from "./protection.ts";
import { RedactedStream } from "./stream.ts";

// Runs a program for someone who gets its output when it has ended: redacted as it comes, kept up to a limit and counted
// beyond. The program leads a session of its own, and nothing that it started outlives it.

/** Says to a program, and to everything it starts, that it belongs to one such run; its value is the run's own. */
const CALL_VARIABLE = "VAULT_RUN_CALL";

export interface CapturedOptions {
  /** Nothing to read where absent. */
  readonly stdin: string | undefined;
  readonly filters: Filters;
  /** What both streams may hold together. */
  readonly mostBytes: number;
  /** Once aborted, the program and all it started are killed. */
  readonly kill: AbortSignal;
  readonly protection: Protection;
  /** Who waits for processes without a parent, and not for the child. */
  readonly orphans?: Orphans | undefined;
  /** Called once, when the child is there and has the descriptors it was given. */
  readonly started: () => void;
  /** Told how much has been written so far. */
  readonly wrote: (bytes: number) => void;
}

export interface Captured {
  /** 128 + n where signal n ended it. */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** What was written beyond the limit. */
  readonly droppedBytes: number;
}

/** @throws {SpawnFailure} when no child was started. */
export async function runCaptured(child: Child, options: CapturedOptions): Promise<Captured> {
  const mark = `${CALL_VARIABLE}=${randomBytes(16).toString("hex")}`;
  const [name = "", value = ""] = mark.split("=");
  const [file, ...args] = child.command;
  const stdio = stdioOf<"pipe" | "ignore">(
    [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    child.descriptors,
  );
  const settings = { cwd: child.cwd, env: { ...child.env, [name]: value }, stdio, detached: true };
  const running = await startProcess(file, args, settings, options.protection);
  const { pid, stdin, stdout, stderr } = running;
  if (pid === undefined || stdout === null || stderr === null) throw new TypeError("a child without streams");
  options.orphans?.except(pid);
  options.started();
  const kept = new Kept(options.mostBytes, options.wrote);
  const [out, err] = [kept.sink(), kept.sink()];
  const streams = [
    new RedactedStream(stdout, out.stream, options.filters("stdout"), () => {}),
    new RedactedStream(stderr, err.stream, options.filters("stderr"), () => {}),
  ];
  const kill = () => killTree(running);
  options.kill.addEventListener("abort", kill);
  if (options.kill.aborted) kill();
  // One that reads less than there is closes its end.
  stdin?.on("error", () => {});
  stdin?.end(options.stdin);
  const status = await exitStatus(running, streams);
  options.orphans?.ended(pid);
  options.kill.removeEventListener("abort", kill);
  await killRest(pid, mark);
  await Promise.all(streams.map((stream) => stream.finish()));
  return { status, stdout: out.bytes(), stderr: err.bytes(), droppedBytes: kept.droppedBytes };
}

/** What two streams share: so many bytes are kept, in the order in which they come. */
class Kept {
  droppedBytes = 0;
  #left: number;
  #wroteBytes = 0;
  readonly #wrote: (bytes: number) => void;

  constructor(mostBytes: number, wrote: (bytes: number) => void) {
    this.#left = mostBytes;
    this.#wrote = wrote;
  }

  sink(): { readonly stream: Writable; bytes(): Buffer } {
    let [bytes, length] = [Buffer.alloc(0), 0];
    // Copied into one place: what is passed on may be part of a chunk that is used again, and comes in very small pieces.
    const keep = (part: Buffer) => {
      if (length + part.length > bytes.length)
        bytes = Buffer.concat([bytes], Math.max(2 * bytes.length, length + part.length));
      length += part.copy(bytes, length);
    };
    const stream = new Writable({
      write: (chunk: Buffer, _, done) => {
        keep(chunk.subarray(0, this.#left));
        this.droppedBytes += Math.max(0, chunk.length - this.#left);
        this.#left = Math.max(0, this.#left - chunk.length);
        this.#wroteBytes += chunk.length;
        this.#wrote(this.#wroteBytes);
        done();
      },
    });
    return { stream, bytes: () => bytes.subarray(0, length) };
  }
}

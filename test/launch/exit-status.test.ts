import { spawn } from "node:child_process";
import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { runCaptured } from "../../src/launch/captured.ts";
import { exitStatus } from "../../src/launch/exit-status.ts";
import { Protection } from "../../src/launch/protection.ts";
import { type Filter, RedactedStream } from "../../src/launch/stream.ts";

const NOTHING = new Uint8Array();
const PLAIN: Filter = { pieces: (chunk) => [chunk], idle: () => NOTHING, end: () => NOTHING };

/** The status of a shell that runs the script, as seen by who reads its output. */
function statusOf(script: string): Promise<number> {
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const output = new RedactedStream(
    child.stdout,
    new Writable({ write: (_, __, done) => done() }),
    PLAIN,
    () => {},
  );
  return exitStatus(child, [output]);
}

it.each([34, 49, 64])(
  "is 128 + n where real-time signal %i ended the child, which node does not say",
  async (signal) => {
    expect(await statusOf(`echo some; kill -${signal} $$`)).toBe(128 + signal);
  },
);

it.each([
  ["exit 0", 0],
  ["exit 34", 34],
  ["exit 162", 162],
  ["kill -TERM $$", 143],
  ["kill -KILL $$", 137],
])("is what it is otherwise: %s", async (script, status) => {
  expect(await statusOf(script)).toBe(status);
});

it("is that of the child's end where it closed its output long before", async () => {
  expect(await statusOf("exec >&-; sleep 0.3; exit 7")).toBe(7);
});

it("is 128 + n for who gets the output when the program has ended, too", async () => {
  const captured = await runCaptured(
    {
      command: ["sh", "-c", "echo some; kill -34 $$"],
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      descriptors: new Map(),
    },
    {
      stdin: undefined,
      filters: () => ({
        pieces: (chunk) => [chunk],
        idle: () => new Uint8Array(),
        end: () => new Uint8Array(),
      }),
      mostBytes: 100,
      kill: new AbortController().signal,
      protection: new Protection(),
      started: () => {},
      wrote: () => {},
    },
  );
  expect({ status: captured.status, stdout: captured.stdout.toString() }).toEqual({
    status: 162,
    stdout: "some\n",
  });
});

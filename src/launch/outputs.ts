import type { ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Filters, Supervision } from "./child.ts";
import { net } from "./late-modules.ts";
import type { Libc } from "./libc.ts";
import { leadToOnePlace } from "./standard-streams.ts";
import { RedactedStream } from "./stream.ts";

// The child's standard output and error on their way to ours. Without the C library they are node's "pipes", which are
// socket pairs: enough for nearly everything, but /dev/stdout cannot be opened by its path, and where both lead to the
// same place their order is lost. With it they are pipes, and where both lead to the same place they are one.

type Ends = readonly ["inherit" | "pipe" | number, "inherit" | "pipe" | number];

export interface Outputs {
  /** What the child gets as its two streams. */
  readonly ends: Ends;
  /** Takes what comes from the child, once it is there. */
  take(child: ChildProcess): RedactedStream[];
  /** Closes what is there where no child came to be. */
  abandon(): void;
}

/** The child writes where we would. */
export const NOT_REDACTED: Outputs = { ends: ["inherit", "inherit"], take: () => [], abandon: () => {} };

export function redactedOutputs(libc: Libc | undefined, filters: Filters, around: Supervision): Outputs {
  const stream = (from: Readable, name: "stdout" | "stderr") =>
    new RedactedStream(from, around.streams[name], filters(name), around.warn);
  if (libc === undefined) {
    return {
      ends: ["pipe", "pipe"],
      take: ({ stdout, stderr }) => {
        if (stdout === null || stderr === null) throw new TypeError("the child's streams are not pipes");
        return [stream(stdout, "stdout"), stream(stderr, "stderr")];
      },
      abandon: () => {},
    };
  }
  const first = libc.openPipe();
  const second = leadToOnePlace() ? undefined : libc.openPipe();
  const pipes = second === undefined ? [first] : [first, second];
  const { Socket } = net();
  const [stdout, stderr] = pipes.map(({ read }) => new Socket({ fd: read, readable: true, writable: false }));
  return {
    ends: [first.write, (second ?? first).write],
    take: () => {
      for (const { write } of pipes) closeSync(write);
      return [
        ...(stdout === undefined ? [] : [stream(stdout, "stdout")]),
        ...(stderr === undefined ? [] : [stream(stderr, "stderr")]),
      ];
    },
    abandon: () => {
      for (const { write } of pipes) closeSync(write);
      stdout?.destroy();
      stderr?.destroy();
    },
  };
}

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll } from "vitest";
import type { Outcome, Program } from "../fixtures/program.ts";
import type { Verb } from "../fixtures/system-calls.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

// Runs the program with calls to its files that fail (fault.c), and lists those calls.

export interface Call {
  /** The how-manieth of all calls of the run. */
  readonly at: number;
  readonly call: string;
  /** Below the home, random parts aside. */
  readonly to: string;
}

export interface Fault {
  readonly at: number;
  /** An errno, `kill`, or `short`: half of a write or read. */
  readonly does: string;
  readonly for?: number;
}

/** Errnos by name, as the kernel numbers them. */
export const ERRNO = { EINTR: 4, EIO: 5, EAGAIN: 11, ENOMEM: 12, EMFILE: 24, ENOSPC: 28, EROFS: 30 } as const;

export class FaultyLibc {
  readonly #library: string;

  private constructor(library: string) {
    this.#library = library;
  }

  /** Lives as long as the test file. */
  static async build(): Promise<FaultyLibc> {
    const folder = keptTempFolder();
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const library = join(folder, "fault.so");
    const source = resolve(import.meta.dirname, "fault.c");
    await execa("cc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"]);
    return new FaultyLibc(library);
  }

  /** Runs the verb whole. */
  async record(program: Program, verb: Verb, of: "node" | "git" = "node"): Promise<Call[]> {
    const trace = join(program.home, "trace");
    writeFileSync(trace, "");
    const { status, stderr } = await this.#run(program, verb, { FAULT_IN: of, FAULT_TRACE: trace });
    if (status !== 0) throw new Error(stderr);
    const lines = readFileSync(trace, "latin1").trimEnd().split("\n");
    return lines.map((line, index) => {
      const [call = "", ...path] = line.split(" ");
      const to = path.join(" ").slice(program.home.length + 1);
      return { at: index + 1, call, to: to.replace(/[0-9a-f]{32}/g, "TOKEN") };
    });
  }

  runWith(program: Program, verb: Verb, fault: Fault, of: "node" | "git" = "node"): Promise<Outcome> {
    return this.#run(program, verb, {
      FAULT_IN: of,
      FAULT_AT: `${fault.at}`,
      FAULT_FOR: `${fault.for ?? 1}`,
      FAULT_DO: `${ERRNO[fault.does as keyof typeof ERRNO] ?? fault.does}`,
    });
  }

  /** Runs the verb with a wall clock that leaps as its n-th call is made. */
  runWithLeap(program: Program, verb: Verb, at: number, seconds: number): Promise<Outcome> {
    return this.#run(program, verb, { FAULT_IN: "node", FAULT_AT: `${at}`, FAULT_CLOCK: `${seconds}` });
  }

  /** Runs the verb, and the git that it starts, on a disk that answers each call so much later. */
  runLate(program: Program, verb: Verb, microseconds: number): Promise<Outcome> {
    return this.#run(program, verb, { FAULT_LATE: `${microseconds}` });
  }

  async #run(program: Program, { args, input }: Verb, told: Record<string, string>): Promise<Outcome> {
    const state = join(program.home, "calls");
    writeFileSync(state, Buffer.alloc(8));
    const env = { LD_PRELOAD: this.#library, FAULT_UNDER: `${program.home}/`, FAULT_STATE: state, ...told };
    return program.run(args, { input: input ?? "", env });
  }
}

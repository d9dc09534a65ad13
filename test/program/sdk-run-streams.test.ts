import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { crawlerTemplate } from "../fixtures/crawler.ts";
import { processesOf } from "../fixtures/process-state.ts";
import type { Program } from "../fixtures/program.ts";
import { answerOf, writeInProject } from "../fixtures/project.ts";

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const HEAD = `
  import { existsSync } from "node:fs";
  import { PassThrough, Writable } from "node:stream";
  import { setTimeout } from "node:timers/promises";
  import { run, VaultError } from "vault-run";
  const answer = (value) => console.log("\\n" + JSON.stringify(value));
  const outcome = async (script, options) => {
    try { return (await run("sh", ["-c", script], { stdin: "ignore", ...options })).status; } catch (error) {
      return error instanceof VaultError ? error.code + ": " + error.message : error.name + ": " + error.message;
    }
  };
  // A stream that has what it was given first read from it, the program's process number, and takes the rest as told.
  const pids = [];
  const taking = (take) => new Writable({ write(chunk, _, done) {
    if (/^\\d+\\n/.test(String(chunk))) pids.push(parseInt(chunk));
    take(this, chunk, done);
  } });
  const left = () => pids.filter((pid) => existsSync("/proc/" + pid));
`;
const answer = (body: string) => answerOf(HEAD + body, program);
/** A file on a disk that has room for a part of what is written to it, and what was said of that. */
async function onFullDisk(body: string): Promise<{ stdout: string; stderr: string }> {
  mkdirSync(join(program.repo, "disk"));
  const script = `mount -t tmpfs -o size=16k tmpfs disk
    ${process.execPath} ${writeInProject(HEAD + body, "mjs")} > disk/out; echo "status $?"; wc -c < disk/out`;
  const settings = {
    cwd: program.repo,
    env: { ...program.env, VAULT_RUN_AGENT: "crawler" },
    extendEnv: false,
  };
  return execa("unshare", ["--mount", "sh", "-c", script], settings);
}
const LASTING = "echo $$; trap '' TERM; sleep 1000 & wait";
const CLOSED = "disk: the stream that takes the program's stdout was closed before the program had ended";

describe("the stream that takes a program's output", () => {
  it("ends the program and the run where it fails, is destroyed or is ended, also within a write", async () => {
    const got = await answer(`
      const ways = [
        (stream, _, done) => done(new RangeError("full")),
        (stream) => stream.destroy(),
        (stream) => stream.destroy(new RangeError("lost")),
        () => { throw new RangeError("thrown"); },
        (stream, _, done) => { stream.end(); done(); },
      ];
      const outcomes = [];
      const listeners = [];
      for (const way of ways) {
        const stdout = taking(way);
        stdout.on("error", () => {});
        outcomes.push(await outcome(${JSON.stringify(LASTING)}, { stdout, stderr: "ignore" }));
        listeners.push(stdout.listenerCount("error") + stdout.listenerCount("close"));
      }
      answer([outcomes, listeners, pids.length, left()]);
    `);
    const outcomes = ["RangeError: full", CLOSED, "RangeError: lost", "RangeError: thrown", CLOSED];
    expect(got).toEqual([outcomes, [1, 1, 1, 1, 1], 5, []]);
  });

  it("is not waited for once the program was given up, and gets what it did not take when it is read", async () => {
    const got = await answer(`
      const stdout = new PassThrough({ highWaterMark: 1000 });
      const given = new AbortController();
      stdout.once("readable", () => given.abort());
      const script = "trap 'head -c 700000 /dev/zero; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
      const status = await outcome(script, { stdout, stderr: "ignore", signal: given.signal });
      stdout.end();
      let bytes = 0;
      for await (const chunk of stdout) bytes += chunk.length;
      answer([status, bytes]);
    `);
    expect(got).toEqual([5, 700_006]);
  });

  it("is not waited for where the program has ended and is given up then", async () => {
    const got = await answer(`
      const given = new AbortController();
      const stdout = taking(() => {});
      const running = outcome("echo $$; head -c 50000 /dev/zero", { stdout, stderr: "ignore", signal: given.signal });
      while (pids.length === 0 || left().length > 0) await setTimeout(10);
      given.abort();
      answer([await running, stdout.listenerCount("error")]);
    `);
    expect(got).toEqual([0, 0]);
  });

  it("holds a bounded part of what a program prints that was given up and does not end", async () => {
    const got = await answer(`
      const given = new AbortController();
      const stdout = taking(() => given.abort());
      const status = await outcome("echo $$; trap '' TERM; exec yes", { stdout, stderr: "ignore", signal: given.signal });
      answer([status > 0, stdout.writableLength < 3_000_000, left()]);
    `);
    expect(got).toEqual([true, true, []]);
  });

  it("may be that of many runs at once", async () => {
    const got = await answer(`
      const warnings = [];
      process.on("warning", ({ name }) => warnings.push(name));
      const stdout = new PassThrough().resume();
      const runs = Array.from({ length: 12 }, () => outcome("echo one", { stdout, stderr: stdout }));
      const outcomes = await Promise.all(runs);
      answer([outcomes.every((status) => status === 0), warnings, stdout.listenerCount("error"), stdout.writable]);
    `);
    expect(got).toEqual([true, [], 0, true]);
  });
});

describe("what a run is given", () => {
  it("is refused whole before a value is opened: nothing is recorded, nothing started", async () => {
    const got = await answer(`
      const ended = new PassThrough();
      ended.end();
      const wrong = [
        { input: 5 }, { input: {} }, { stdin: "pipe" }, { stdin: new PassThrough() }, { stdin: "ignore", input: "x" },
        { stdout: ended }, { stdout: {} }, { stderr: 2 }, { signal: {} }, { signal: null }, { env: { A: 1 } }, { env: { A: "a\\0b" } },
        { inject: "stripe/API_KEY" }, { inject: { A: undefined } }, { file: [] }, { pass: "A" }, { cleanEnv: "no" },
        { strictEnv: 1 }, { allowExpired: "false" }, { onWarning: "no" }, { cwd: 5 },
      ];
      const names = [];
      for (const options of wrong)
        names.push(await run("true", [], options).then(() => "ran", (error) => error.name));
      for (const [command, args] of [["", []], ["true", "-x"], ["true", ["a\\0b"]], ["true", [5]], [undefined, []]])
        names.push(await run(command, args).then(() => "ran", (error) => error.name));
      answer([names.length, [...new Set(names)], process.getActiveResourcesInfo().includes("ProcessWrap")]);
    `);
    expect(got).toEqual([26, ["TypeError"], false]);
    expect(program.auditLines().filter(({ action }) => action === "launch")).toEqual([]);
  });

  it("is told of where it is the caller's own, and a disk takes only the first part", async () => {
    const { stdout, stderr } = await onFullDisk(`
      const options = { stdin: "ignore", onWarning: (text) => console.error(text) };
      await run("sh", ["-c", "dd if=/dev/zero bs=20000 count=1 status=none"], options);
    `);
    expect(stdout).toBe("status 0\n16384");
    expect(stderr).toBe("the program's output cannot be passed on (ENOSPC)");
  });

  it("is killed with all that it started where something fails once it runs", async () => {
    // Checked as text, and something else when it is written to the program.
    const got = await answer(`
      let asked = 0;
      const options = { stdout: "ignore", stderr: "ignore", get input() { return asked++ === 0 ? "text" : 5; } };
      answer(await run("sh", ["-c", "sleep 1000 & wait"], options).then(() => "ran", (error) => error.code));
    `);
    expect(got).toBe("ERR_INVALID_ARG_TYPE");
    expect(processesOf(program.home)).toEqual([]);
  });
});

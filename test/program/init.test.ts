import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { crawlerTemplate } from "../fixtures/crawler.ts";
import { NAMESPACE } from "../fixtures/isolation.ts";
import { McpConnection } from "../fixtures/mcp.ts";
import type { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

// As the first process of a container, in a real namespace of processes.

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const launchOf = (script: string, ...options: string[]) => [
  ...NAMESPACE,
  ...["vault-run", "--agent", "crawler", "--quiet", ...options, "--", "sh", "-c", script],
];

function start(script: string, ...options: string[]) {
  const [file = "", ...args] = launchOf(script, ...options);
  return execa(file, args, { cwd: program.repo, env: program.env, extendEnv: false, reject: false });
}

async function run(script: string, ...options: string[]) {
  const { exitCode, stdout, stderr } = await start(script, ...options);
  return { status: exitCode, stdout, stderr };
}

/** The last signal that vault-run listens to, first thing. TERM itself is caught by node before, for a reason of its own. */
const SIGALRM_BIT = 1n << 13n;

/** The first process of the namespace, by its number out here, once it has an answer to TERM: the kernel drops others. */
async function firstProcess(unshare: number | undefined): Promise<number> {
  for (let looks = 0; looks < 1000; looks++) {
    const { stdout } = await execa("pgrep", ["-P", `${unshare}`], { reject: false });
    const status = await readFile(`/proc/${stdout}/status`, "latin1").catch(() => "");
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
    if ((caught & SIGALRM_BIT) !== 0n) return Number(stdout);
  }
  throw new Error("there is none");
}

/** Leaves `count` processes without a parent, waits until all have ended, and says how many are left as zombies. */
const orphans = (count: number) => `
i=0; while [ $i -lt ${count} ]; do (sleep 0.01 &); i=$((i+1)); done
i=0
while [ $i -lt 100 ] && ps -eo stat,comm | grep -q -e '^Z' -e ' sleep$'; do i=$((i+1)); sleep 0.1; done
ps -eo stat | grep -c Z`;

describe("the first process of a container", () => {
  it("is vault-run, the program its child, and its exit status the program's (promise 12)", async () => {
    expect(await run('echo "$$ $PPID $API_KEY"; exit 42')).toEqual({
      status: 42,
      stdout: expect.stringMatching(/^[1-9]\d* 1 \[REDACTED:stripe\/API_KEY\]$/),
      stderr: "",
    });
    expect((await run("kill -KILL $$")).status).toBe(137);
    expect((await run("kill -SEGV $$")).status).toBe(139);
  });

  it("leaves no zombie of 1,000 processes that lost their parent", async () => {
    expect(await run(orphans(1000))).toMatchObject({ stdout: "0", status: 1 });
  });

  it("leaves none of what a model's programs leave, and gives each program's status", async () => {
    const mcp = await McpConnection.open(program, { within: NAMESPACE });
    const launch = async (script: string) => {
      const command = ["sh", "-c", script];
      return (await mcp.call("run_with_secrets", { command, secrets: ["stripe/API_KEY"] })).structured;
    };
    const statuses = [3, 4, 5, 6, 7].map((status) => launch(`(sleep 0.01 &); sleep 0.05; exit ${status}`));
    expect((await Promise.all(statuses)).map((answer) => answer.exit_status)).toEqual([3, 4, 5, 6, 7]);
    for (let calls = 0; calls < 2; calls++)
      expect(await launch(orphans(20))).toMatchObject({ stdout: "0\n", exit_status: 1 });
  });

  it("passes TERM on at once, takes the program's time and no more, and gives its status", async () => {
    const child = start("trap 'echo got; sleep 0.3; exit 7' TERM; echo ready; while :; do sleep 0.05; done");
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const started = Date.now();
    process.kill(await firstProcess(child.pid), "SIGTERM");
    const { exitCode, stdout } = await child;
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "ready\ngot" });
    const tookMs = Date.now() - started;
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(5000);
  });

  it("ends when the program ends, and with it what the program left running", async () => {
    const mark = `vault-run-left-${process.pid}`;
    expect((await run(`sh -c "sleep 60; : ${mark}" > /dev/null 2>&1 & exit 3`)).status).toBe(3);
    expect((await execa("pgrep", ["-f", mark], { reject: false })).stdout).toBe("");
  });

  it("ends with 143 where TERM comes before the program is there, and starts nothing (promise 2)", async () => {
    for (let delayMs = 0; delayMs <= 200; delayMs += 20) {
      const marker = join(program.repo, `started-${delayMs}`);
      const child = start(`touch ${marker}; sleep 3`);
      const first = await firstProcess(child.pid);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const recorded = program.auditLines().filter(({ action }) => action === "launch").length;
      process.kill(first, "SIGTERM");
      const { exitCode } = await child;
      expect(exitCode, `after ${delayMs} ms`).toBe(143);
      // At once, TERM comes long before everything is opened.
      if (delayMs === 0) {
        expect(existsSync(marker)).toBe(false);
        expect(program.auditLines().filter(({ action }) => action === "launch")).toHaveLength(recorded);
      }
    }
  });

  it("gives the program outputs that can be opened by path, as servers in containers do", async () => {
    const script =
      "echo to stdout > /dev/stdout; echo to stderr > /dev/stderr; echo again >> /proc/self/fd/1";
    expect(await run(script)).toEqual({ status: 0, stdout: "to stdout\nagain", stderr: "to stderr" });
  });

  it("may have a terminal, as with docker run -it", async () => {
    const { shown, status } = await onTerminal(program, launchOf(`${orphans(100)}; tty; exit 6`));
    expect(shown).toMatch(/^0\r\n\/dev\/pts\/\d+\r\n$/);
    expect(status).toBe(6);
  });

  it("says what it cannot do without the package for it, and does the rest", async () => {
    const plain = program.env.PATH?.split(delimiter).with(0, inject("plainBinFolder")).join(delimiter) ?? "";
    const [file = "", ...args] = launchOf("echo ran; exit 5");
    const env = { ...program.env, PATH: plain };
    const settings = { cwd: program.repo, env, extendEnv: false, reject: false };
    const { exitCode, stdout, stderr } = await execa(file, args, settings);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 5,
      stdout: "ran",
      stderr:
        "vault-run: processes without a parent are not waited for: the optional package koffi is not installed",
    });
  });

  it("is the program itself where it is handed over", async () => {
    expect((await run("echo $$; exit 8", "--no-redact")).stdout).toBe("1");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const VALUE = "sk_live_51HabcdefghijKLMNOP";
const MASK = "[REDACTED:stripe/API_KEY]";
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.must(["add-agent", "other"]);
  await made.set("stripe/API_KEY", VALUE);
  await made.set("db/PASSWORD", "correct-horse-battery");
  await made.set("db/PIN", "1234");
  for (const group of ["stripe", "db"]) await made.must(["grant", "crawler", group]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const launch = (command: readonly string[], ...options: string[]) =>
  program.run(["--agent", "crawler", ...options, "--", ...command]);
const sh = (script: string, ...options: string[]) => launch(["sh", "-c", script], ...options);
const audit = () => program.auditLines();
const running = async (mark: string) =>
  (await execa("pgrep", ["-f", mark], { reject: false })).stdout.split("\n").filter((pid) => pid !== "");

describe("what was masked", () => {
  const shown = 'echo "$API_KEY $API_KEY"; printf %s "$API_KEY" | base64 >&2; echo $PASSWORD >&2';

  it("is said in one line at the end, by secret, stream and encoding, and recorded so", async () => {
    const { status, stderr } = await sh(shown, "--only", "stripe/API_KEY", "--only", "db/PASSWORD");
    expect(status).toBe(0);
    expect(stderr.trim().split("\n").at(-1)).toBe(
      "vault-run: masked in the output: stripe/API_KEY 3x (stdout raw, stderr base64), db/PASSWORD 1x (stderr raw)",
    );
    expect(audit().at(-1)).toMatchObject({
      action: "leak",
      agent: "crawler",
      command: "sh",
      leaks: [
        { secret: "stripe/API_KEY", stream: "stdout", encoding: "raw", count: 2 },
        { secret: "stripe/API_KEY", stream: "stderr", encoding: "base64", count: 1 },
        { secret: "db/PASSWORD", stream: "stderr", encoding: "raw", count: 1 },
      ],
    });
  });

  it("is recorded but not said with --quiet, and nothing is said where nothing was masked", async () => {
    const quiet = await sh(shown, "--only", "stripe/API_KEY", "--quiet");
    expect(quiet.stderr).toBe(`${MASK}\n\n`);
    expect(audit().at(-1)).toMatchObject({ action: "leak" });
    const clean = await sh("echo fine", "--only", "stripe/API_KEY");
    expect(clean).toMatchObject({ stdout: "fine\n", stderr: "" });
  });

  it("does not hold a secret that is too short, which is said by name at launch and by set", async () => {
    const { stdout, stderr } = await sh("echo $PIN");
    expect({ stdout, stderr }).toEqual({
      stdout: "1234\n",
      stderr: "vault-run: too short to be redacted from the output: db/PIN\n",
    });
    const set = await program.run(["set", "db/PIN"], { input: "99999" });
    expect(set.stderr).toContain("db/PIN is too short to be redacted from a program's output");
  });
});

describe("--on-leak kill", () => {
  it("ends the program and all it started at the first masked value, with 120, naming the secret", async () => {
    const mark = `81.${process.pid}`;
    const script = `setsid sleep ${mark} & sleep ${mark} & (sleep ${mark}; true) & echo before; sleep 0.3; echo "$API_KEY"; sleep ${mark}; echo never`;
    const { status, stdout, stderr } = await sh(script, "--on-leak", "kill", "--only", "stripe/API_KEY");
    expect({ status, stdout }).toEqual({ status: 120, stdout: `before\n${MASK}\n` });
    expect(stderr).toBe(
      "vault-run: the program was killed: stripe/API_KEY was in its output (stdout, raw)\n",
    );
    expect(await running(`sleep ${mark}`)).toEqual([]);
    expect(audit().at(-1)).toMatchObject({ action: "leak", command: "sh" });
  });

  it("does not reach what the program left to run on its own, which no parent leads to", async () => {
    const mark = `82.${process.pid}`;
    const daemon = `(setsid sleep ${mark} </dev/null >/dev/null 2>&1 & echo $! > daemon)`;
    const { status } = await sh(`${daemon}; echo "$API_KEY"; sleep 60`, "--on-leak", "kill", "--quiet");
    expect(status).toBe(120);
    const left = Number(readFileSync(join(program.repo, "daemon"), "utf8"));
    // Fails where there is none.
    process.kill(left, "SIGKILL");
  });

  it("ends it with 120 also where it had ended by itself just before", async () => {
    const { status, stdout } = await sh('echo "$API_KEY"', "--on-leak", "kill", "--quiet");
    expect({ status, stdout }).toEqual({ status: 120, stdout: `${MASK}\n` });
  });

  it("leaves a program alone that shows no value", async () => {
    expect((await sh("echo sk_live; exit 3", "--on-leak", "kill")).status).toBe(3);
  });

  it("leaves a sane terminal", async () => {
    const command = [
      "vault-run",
      "--agent",
      "crawler",
      "--on-leak",
      "kill",
      "--only",
      "stripe/API_KEY",
      "--",
    ];
    const script = "stty raw -echo; echo $API_KEY; sleep 60";
    const { shown, status, modes } = await onTerminal(program, [...command, "sh", "-c", script]);
    expect(status).toBe(120);
    expect(shown).toBe(
      `${MASK}\nvault-run: the program was killed: stripe/API_KEY was in its output (terminal, raw)\r\n`,
    );
    expect(modes).toEqual({ echo: true, canonical: true, post: true });
  });

  it("is no policy of another name", async () => {
    const { status, stderr } = await sh("true", "--on-leak", "ignore");
    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: "vault-run: --on-leak takes report, kill\n  see vault-run --help\n",
    });
  });
});

describe("the filter vault-run redact", () => {
  const redact = (input: string | Uint8Array, ...options: string[]) =>
    program.run(["redact", "--agent", "crawler", ...options], { input: input as string });

  it("masks what the agent was granted in any stream, and records that it was opened for that", async () => {
    const { status, stdout, stderr } = await redact(`a ${VALUE} b\n${btoa(VALUE)} correct-horse-battery`);
    expect(status).toBe(0);
    expect(stdout).toBe(`a ${MASK} b\n${MASK} [REDACTED:db/PASSWORD]`);
    expect(stderr).toBe(
      "vault-run: too short to be redacted from the output: db/PIN\n" +
        "vault-run: masked in the output: stripe/API_KEY 2x (stdin raw, stdin base64), db/PASSWORD 1x (stdin raw)\n",
    );
    expect(audit().slice(-2)).toMatchObject([
      {
        action: "redact",
        agent: "crawler",
        secrets: [{ name: "PASSWORD" }, { name: "PIN" }, { name: "API_KEY" }],
      },
      { action: "leak", agent: "crawler" },
    ]);
    expect((await program.run(["audit"])).status).toBe(0);
  });

  it("can be told which, and to be quiet", async () => {
    const only = await redact(`${VALUE} correct-horse-battery\n`, "--only", "stripe/API_KEY", "--quiet");
    expect(only).toMatchObject({ stdout: `${MASK} correct-horse-battery\n`, stderr: "" });
    const group = await redact(`${VALUE} correct-horse-battery\n`, "--group", "stripe", "--quiet");
    expect(group.stdout).toBe(`${MASK} correct-horse-battery\n`);
  });

  it("passes binary data on unchanged, and lines as they come", async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * i + (i >> 8)) & 0xff));
    const child = await program.start(["redact", "--agent", "crawler"], { input: bytes, encoding: "buffer" });
    expect(Buffer.compare(child.stdout as unknown as Buffer, bytes)).toBe(0);
    const follower = program.start(["redact", "--agent", "crawler", "--quiet"], { stdin: "pipe" });
    follower.stdin?.write("first line\n");
    const [first] = await new Promise<Buffer[]>((resolve) =>
      follower.stdout?.once("data", (data: Buffer) => resolve([data])),
    );
    expect(String(first)).toBe("first line\n");
    follower.stdin?.end("last");
    expect((await follower).stdout).toBe("first line\nlast");
  });

  it("ends with what it holds and its record when it is stopped", async () => {
    const follower = program.start(["redact", "--agent", "crawler", "--only", "stripe/API_KEY"], {
      stdin: "pipe",
    });
    follower.stdin?.write(`${VALUE} sk_l`);
    await new Promise((resolve) => follower.stdout?.once("data", resolve));
    follower.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await follower;
    expect({ exitCode, stdout }).toEqual({ exitCode: 143, stdout: `${MASK} sk_l` });
    expect(stderr).toBe("vault-run: masked in the output: stripe/API_KEY 1x (stdin raw)\n");
    expect(audit().at(-1)).toMatchObject({ action: "leak" });
  });

  it("says nothing when its reader goes away", async () => {
    const script = "yes | vault-run redact --agent crawler --group stripe | head -1; echo ${PIPESTATUS[1]}";
    const settings = { cwd: program.repo, env: program.env, extendEnv: false };
    const { stdout, stderr } = await execa("bash", ["-c", script], settings);
    expect({ stdout, stderr }).toEqual({ stdout: "y\n0", stderr: "" });
  });

  it("lets nothing through where that cannot be recorded and the policy is required (promise 11, A20)", async () => {
    const env = { VAULT_RUN_AUDIT_DIR: "/proc/self" };
    const { status, stdout, stderr } = await program.run(["redact", "--agent", "crawler"], {
      input: "text\n",
      env,
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^vault-run: [^\n]+\n {2}[^\n]+\n$/);
  });

  it("ends with its signal also where that comes while it opens", async () => {
    for (let delayMs = 60; delayMs <= 140; delayMs += 10) {
      const filter = program.start(["redact", "--agent", "crawler"], { stdin: "pipe" });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      filter.kill("SIGTERM");
      const { exitCode, signal } = await filter;
      expect(exitCode === 143 || signal === "SIGTERM", `${delayMs} ms: ${exitCode} ${signal}`).toBe(true);
    }
  });

  it("lets nothing through where it cannot open what it is to mask (promise 2)", async () => {
    const refused = await program.run(["redact", "--agent", "other"], { input: `${VALUE}\n` });
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toContain("other was granted nothing");
    expect(audit().at(-1)).toMatchObject({ action: "denied", agent: "other", reason: "not-granted" });
    const nobody = await program.run(["redact"], { input: `${VALUE}\n` });
    expect(nobody).toMatchObject({ status: 2, stdout: "" });
    expect(nobody.stderr).toBe("vault-run: no agent is named\n  say who it is with --agent NAME\n");
  });
});

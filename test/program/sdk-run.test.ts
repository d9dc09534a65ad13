import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import type { Program } from "../fixtures/program.ts";
import { answerOf, type Running, runFile, writeInProject } from "../fixtures/project.ts";

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const HEAD = `
  import { run, VaultError } from "vault-run";
  const answer = (value) => console.log("\\n" + JSON.stringify(value));
  const codeOf = async (attempt) => {
    try { await attempt(); return null; } catch (error) {
      return error instanceof VaultError ? error.code : error.name + ": " + error.message;
    }
  };
  const captured = { stdout: "capture", stderr: "capture", stdin: "ignore" };
  const sh = async (script, options = {}) => {
    const { status, stdout, stderr, leaks } = await run("sh", ["-c", script], { ...captured, ...options });
    return [status, stdout.toString(), stderr.toString(), leaks.map(({ name, stream, count }) => [name, stream, count].join(" "))];
  };
`;
const answer = (body: string, running?: Running) => answerOf(HEAD + body, program, running);
const MASK = "[REDACTED:stripe/API_KEY]";

describe("a program run by a program", () => {
  it("has what was granted, its output redacted, its status as it is, and is recorded (promises 11 and 12)", async () => {
    const got = await answer(`answer(await sh('echo "out $API_KEY"; echo "err $API_KEY" >&2; exit 7'));`);
    const leaks = ["stripe/API_KEY stdout 1", "stripe/API_KEY stderr 1"];
    expect(got).toEqual([7, `out ${MASK}\n`, `err ${MASK}\n`, leaks]);
    const [launch, leak] = program.auditLines().slice(-2);
    expect(launch).toMatchObject({ action: "launch", command: "sh", agent: "crawler" });
    expect(leak).toMatchObject({ action: "leak", command: "sh" });
    expect(JSON.stringify([launch, leak])).not.toContain("exit 7");
  });

  it("prints where its caller does, unless it is told otherwise", async () => {
    const path = writeInProject(
      `${HEAD} await run("sh", ["-c", 'echo "out $API_KEY"; echo "err $API_KEY" >&2; cat']);`,
      "mjs",
    );
    const { stdout, stderr } = await runFile(path, program, { input: "from the caller" });
    expect(stdout).toBe(`out ${MASK}\nfrom the caller`);
    expect(stderr).toBe(`err ${MASK}\n`);
  });

  it("reads what it is given, and writes into a stream that stays open", async () => {
    const got = await answer(`
      import { PassThrough } from "node:stream";
      const stdout = new PassThrough();
      const chunks = [];
      stdout.on("data", (chunk) => chunks.push(chunk));
      const large = "x".repeat(3_000_000) + ${JSON.stringify(VALUE)};
      const { status } = await run("cat", [], { input: large, stdout });
      const text = Buffer.concat(chunks).toString();
      answer([status, text.length, text.slice(-26), stdout.writable, stdout.listenerCount("error")]);
    `);
    expect(got).toEqual([0, 3_000_000 + MASK.length, `x${MASK}`, true, 0]);
  });

  it("gets secrets under other variables, as files and through pipes, and no others", async () => {
    await program.set("stripe/WEBHOOK", "whsec_0123456789");
    const got = await answer(`
      answer([
        await sh('printf %s "$TOKEN" | wc -c; echo "\${API_KEY-none} \${WEBHOOK-none}"', { inject: { TOKEN: "stripe/API_KEY" }, only: ["stripe/API_KEY"] }),
        await sh('wc -c < "$F"; wc -c < "$F"', { file: { F: "stripe/WEBHOOK" }, only: ["stripe/WEBHOOK"] }),
        await sh('wc -c < "$P"', { pipe: { P: "stripe/WEBHOOK" }, only: ["stripe/WEBHOOK"] }),
        await sh('echo $A $B; env | wc -l', { env: { A: "a", PATH: process.env.PATH, B: "b" }, cleanEnv: true, pass: ["B"], group: ["stripe"] }),
      ]);
    `);
    expect(got).toEqual([
      [0, `${VALUE.length}\nnone none\n`, "", []],
      [0, "16\n16\n", "", []],
      [0, "16\n", "", []],
      // PATH, B, two secrets; sh adds PWD, and env itself _ in some shells.
      [0, expect.stringMatching(/^b\n[456]\n$/), "", []],
    ]);
  });

  it("gets no variable that leads to a key, and no descriptor that another child would not (promise 3)", async () => {
    const key = readFileSync(
      join(program.home, ".config/vault-run", program.vaultId, "agents/crawler.key"),
      "utf8",
    );
    const got = await answer(
      `
        import { openSync } from "node:fs";
        import { spawnSync } from "node:child_process";
        openSync("/etc/passwd");
        const list = ["-c", "ls /proc/self/fd"];
        const plain = spawnSync("sh", list, { stdio: ["ignore", "pipe", "pipe"] }).stdout.toString();
        const text = process.env.VAULT_RUN_KEY;
        answer([
          await sh('env | grep -c -e VAULT_RUN_KEY -e AGE-SECRET'),
          await sh('env | grep -c AGE-SECRET', { env: { PATH: process.env.PATH, OTHER: text }, key: text }),
          (await run("sh", list, captured)).stdout.toString() === plain,
        ]);
      `,
      { env: { VAULT_RUN_KEY: key } },
    );
    expect(got).toEqual([[1, "0\n", "", []], [1, "0\n", "", []], true]);
  });

  it("is ended by the first value in its output where that is asked for", async () => {
    const got = await answer(`answer(await sh('echo "$API_KEY"; sleep 60', { onLeak: "kill" }));`);
    expect(got).toEqual([120, `${MASK}\n`, "", ["stripe/API_KEY stdout 1"]]);
  });

  it("is told to end when its caller gives it up, and is not started when that was before", async () => {
    const got = await answer(`
      const given = AbortSignal.abort(new RangeError("given up"));
      const soon = new AbortController();
      setTimeout(() => soon.abort(), 200);
      answer([
        await codeOf(() => sh("true", { signal: given })),
        (await sh("sleep 60", { signal: soon.signal }))[0],
      ]);
    `);
    expect(got).toEqual(["RangeError: given up", 128 + 15]);
    expect(program.auditLines().filter(({ action }) => action === "launch")).toHaveLength(1);
  });

  it("is not started where anything is refused (promise 2)", async () => {
    const got = await answer(`
      const touch = (options) => sh("touch started", options);
      answer([
        await codeOf(() => touch({ only: ["stripe/NONE"] })),
        await codeOf(() => touch({ group: ["mail"] })),
        await codeOf(() => touch({ keyFile: "none" })),
        await codeOf(() => touch({ env: { API_KEY: "x" }, strictEnv: true })),
        await codeOf(() => touch({ only: [] })),
        await codeOf(() => touch({ onleak: "kill" })),
        await codeOf(() => touch({ onLeak: "kll" })),
        await codeOf(() => touch({ cwd: "none" })),
        await codeOf(() => touch({ stdout: "pipe" })),
        await codeOf(() => run("no-such-program", [], captured)),
        await codeOf(() => run("/etc/passwd", [], captured)),
      ]);
    `);
    expect(got).toEqual([
      "unknown-secret",
      "not-granted",
      "key-file",
      "collision",
      "TypeError: only is an empty list: leave it out to inject everything",
      expect.stringContaining('TypeError: no such option: "onleak"'),
      'TypeError: onLeak is neither "report" nor "kill"',
      "usage",
      'TypeError: stdout is none of "inherit", "ignore", "capture" and a stream that can be written',
      "usage",
      "usage",
    ]);
    expect(program.git("status", "--porcelain")).toBe("");
  });

  it("leaves its caller's signals, streams, status and core dumps as they are", async () => {
    const got = await answer(`
      import { readFileSync } from "node:fs";
      const state = () => JSON.stringify([
        process.eventNames().map(String).sort(),
        [process.stdout, process.stderr, process.stdin].map((stream) => stream.eventNames().map((name) => [String(name), stream.listenerCount(name)])),
        process.exitCode ?? null,
        process.cwd(),
        readFileSync("/proc/self/coredump_filter", "latin1"),
        /^(?:Shd|Sig)(?:Blk|Ign|Cgt):.*$/gm.exec(readFileSync("/proc/self/status", "latin1"))?.[0],
        Object.keys(process.env).sort(),
      ]);
      let during;
      const before = state();
      const running = run("sh", ["-c", 'sleep 0.3; echo "$API_KEY"']);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const meanwhile = process.eventNames().filter((name) => String(name).startsWith("SIG"));
      await running;
      answer([before === state(), meanwhile, before, state()]);
    `);
    const [isSame, meanwhile, before, after] = got as [boolean, string[], string, string];
    expect(after).toBe(before);
    expect(isSame).toBe(true);
    expect(meanwhile).toEqual([]);
  });

  it("ends as its caller's other children do: a signal to the caller is the caller's", async () => {
    const path = writeInProject(
      `${HEAD} process.on("SIGTERM", () => { console.log("mine"); process.exit(3); });
       const running = run("sh", ["-c", "echo started; exec sleep 1"]);
       setTimeout(() => process.kill(process.pid, "SIGTERM"), 400); await running;`,
      "mjs",
    );
    const { status, stdout } = await runFile(path, program);
    expect([status, stdout]).toEqual([3, "started\nmine\n"]);
  });

  it("says what is no failure as a warning of node's, without a value", async () => {
    await program.set("stripe/SHORT", "abc");
    const path = writeInProject(
      `${HEAD} const told = []; process.on("warning", ({ name, message }) => told.push([name, message]));
       await run("true", [], captured);
       await run("true", [], { ...captured, onWarning: (text) => told.push(text) });
       await new Promise(setImmediate); answer(told);`,
      "mjs",
    );
    const { stdout, stderr } = await runFile(path, program);
    const said = "too short to be redacted from the output: stripe/SHORT";
    expect(JSON.parse(stdout)).toEqual([["VaultWarning", said], said]);
    expect(stderr).toContain(`VaultWarning: ${said}`);
  });
});

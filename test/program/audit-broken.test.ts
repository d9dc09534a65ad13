import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { SEGMENT_BYTES } from "../../src/audit/log-file.ts";
import { auditSegments } from "../../src/audit/segments.ts";
import { digest } from "../../src/vault/fingerprint.ts";
import { VALUE } from "../fixtures/crawler.ts";
import { Program } from "../fixtures/program.ts";
import { type Point, recordPoints, runBrokenAt } from "../fixtures/system-calls.ts";

// A20 and promise 11: many launches at once, kills at any moment, and a log that cannot be written.

const template = (audit: string) =>
  Program.template(async (made) => {
    await made.must(["init", "--classic", "--audit", audit]);
    await made.must(["add-agent", "crawler"]);
    await made.set("stripe/API_KEY", VALUE);
    await made.must(["grant", "crawler", "stripe"]);
  });
const required = await template("required");
const lenient = await template("best-effort");
let program: Program;
beforeEach(() => {
  program = required.copy();
});

interface Line {
  readonly id: string;
  readonly action: string;
  readonly command?: string;
  readonly prev?: string;
  readonly digest: string;
}

/** The lines of all of the log's files, each by itself, and how many are torn. */
function readLog(of: Program): { lines: Line[]; torn: number } {
  const texts = auditSegments(dirname(of.auditLog)).flatMap((path) => readFileSync(path, "utf8").split("\n"));
  const lines: Line[] = [];
  let torn = 0;
  for (const text of texts.filter((line) => line !== "")) {
    try {
      lines.push({ ...JSON.parse(text), digest: digest(Buffer.from(text)) });
    } catch {
      torn++;
    }
  }
  return { lines, torn };
}

/** No line twice, and none whose line before is not there. */
function expectWhole(lines: readonly Line[]): void {
  expect(new Set(lines.map(({ id }) => id)).size).toBe(lines.length);
  const known = new Set(lines.map((line) => line.digest));
  expect(lines.filter(({ prev }) => prev !== undefined && !known.has(prev))).toEqual([]);
  expect(lines.filter(({ prev }) => prev === undefined).length).toBe(1);
}

/** Makes the log so long that it is moved away `left` bytes later. Blank, so that it has no line that is none. */
function grow(of: Program, left: number): void {
  const own = readFileSync(of.auditLog);
  writeFileSync(of.auditLog, Buffer.concat([Buffer.alloc(SEGMENT_BYTES - own.length - left, "\n"), own]));
}

const launchesOf = (of: Program) => readLog(of).lines.filter(({ action }) => action === "launch");

describe("500 launches at once", () => {
  it("are 500 lines, every one valid and none torn, also where the log is moved away meanwhile", {
    timeout: 600_000,
  }, async () => {
    grow(program, 100_000);
    const many = "seq 500 | xargs -P 500 -I{} vault-run --agent crawler --quiet -- true";
    await execa("bash", ["-c", many], { cwd: program.repo, env: program.env, extendEnv: false });
    const { lines, torn } = readLog(program);
    expect(torn).toBe(0);
    expect(launchesOf(program)).toHaveLength(500);
    expectWhole(lines);
    const files = auditSegments(dirname(program.auditLog));
    expect(files.length).toBeGreaterThan(1);
    expect(statSync(files[0]!).size).toBeGreaterThanOrEqual(SEGMENT_BYTES);
    for (const file of files) {
      // One by one, each has what `audit` takes for a log.
      const folder = join(program.home, "one");
      mkdirSync(folder);
      copyFileSync(file, join(folder, "audit.jsonl"));
      const { stdout } = await program.run(["audit", "--json"], { env: { VAULT_RUN_AUDIT_DIR: folder } });
      const { lines: read } = JSON.parse(stdout);
      expect(read.filter(({ status }: { status: string }) => status !== "verified")).toEqual([]);
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a launch that is killed", () => {
  const marker = (of: Program) => join(of.home, "started");
  const verb = { args: ["--agent", "crawler", "--quiet", "--", "sh", "-c", 'touch "$HOME/started"'] };

  /** Every one that started has its line, and the log is whole but for what a kill has torn. */
  async function expectSound(of: Program, before: number): Promise<void> {
    const started = existsSync(marker(of)) ? 1 : 0;
    expect(launchesOf(of).length - before).toBeGreaterThanOrEqual(started);
    const { status } = await of.run(verb.args);
    expect(status).toBe(0);
    const { lines, torn } = readLog(of);
    expectWhole(lines);
    expect(torn).toBeLessThanOrEqual(1);
    expect(launchesOf(of).length).toBeGreaterThanOrEqual(before + started + 1);
    expect(launchesOf(of).length).toBeLessThanOrEqual(before + 2);
  }

  it.each(["", "and moves the log away"])(
    "at any system call that changes the disk %s",
    {
      timeout: 300_000,
    },
    async (how) => {
      const prepared = () => {
        const made = required.copy();
        if (how !== "") grow(made, 0);
        return made;
      };
      // What was verified is written to a draft of random name.
      const isRandom = ({ path = "" }: Point) => /[0-9a-f]{16}$/.test(path);
      const points = (await recordPoints(prepared(), verb)).filter((point) => !isRandom(point));
      const calls = points.map(({ call, to }) => `${call} ${to.replace(/.*\//, "")}`);
      expect(calls).toContain("write audit.jsonl");
      if (how !== "")
        expect(calls).toEqual(expect.arrayContaining(["openat audit.1.jsonl", "rename audit.jsonl"]));
      for (const point of points) {
        const made = prepared();
        const { signal } = await runBrokenAt(made, verb, point, "signal=KILL");
        expect(signal, JSON.stringify(point)).toBe("SIGKILL");
        expect(existsSync(marker(made))).toBe(false);
        await expectSound(made, 0);
        rmSync(made.home, { recursive: true });
      }
    },
  );

  it("at a random moment, with others beside it: what started has one line, and what has none did not start", {
    timeout: 300_000,
  }, async () => {
    const count = 160;
    mkdirSync(join(program.home, "ran"));
    for (let i = 0; i < count; i++) {
      const script = join(program.home, `program-${i}`);
      writeFileSync(script, `#!/bin/sh\n: >"$HOME/ran/program-${i}"\n`);
      chmodSync(script, 0o755);
    }
    grow(program, 20_000);
    const queue = Array.from({ length: count }, (_, i) => i);
    let killed = 0;
    const worker = async () => {
      for (let i = queue.shift(); i !== undefined; i = queue.shift()) {
        const args = ["--agent", "crawler", "--quiet", "--", join(program.home, `program-${i}`)];
        const running = program.start(args, { input: "" });
        // Some live on, however slow the machine is.
        const timer =
          i % 3 === 0 ? undefined : setTimeout(() => running.kill("SIGKILL"), 15 + ((i * 53) % 110));
        const { signal } = await running;
        clearTimeout(timer);
        if (signal === "SIGKILL") killed++;
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    expect(killed).toBeGreaterThan(count / 10);
    const { lines, torn } = readLog(program);
    expect(torn).toBeLessThanOrEqual(killed);
    expectWhole(lines);
    const commands = launchesOf(program).map(({ command }) => command!.slice(program.home.length + 1));
    expect(new Set(commands).size).toBe(commands.length);
    const ran = readdirSync(join(program.home, "ran"));
    expect(ran.length).toBeGreaterThan(5);
    expect(ran.filter((name) => !commands.includes(name))).toEqual([]);
    expect((await program.run(verb.args)).status).toBe(0);
  });

  it("in the middle of its line leaves one that is named, and the next goes on behind the last whole one", async () => {
    await program.must(verb.args);
    const whole = readLog(program).lines;
    await program.must(verb.args);
    truncateSync(program.auditLog, statSync(program.auditLog).size - 100);
    await program.must(verb.args);
    const { lines, torn } = readLog(program);
    expect(torn).toBe(1);
    expectWhole(lines);
    expect(lines.at(-1)?.prev).toBe(whole.at(-1)?.digest);
    const { stdout, status } = await program.run(["audit", "--json"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/"(status|kind)": ?"torn"/);
  });
});

describe("a log that cannot be written", () => {
  const CASES: readonly (readonly [string, string])[] = [
    ["on a full disk", "mount -t tmpfs -o size=16k tmpfs log; head -c 16384 /dev/zero >log/filler || true"],
    ["in a folder that is read-only", "mount -t tmpfs -o ro tmpfs log"],
    ["in a folder that is a file", "rmdir log; : >log"],
    ["that is a link", "ln -s ../elsewhere log/audit.jsonl"],
    ["that is a link to a device", "ln -s /dev/null log/audit.jsonl"],
    ["that is a pipe", "mkfifo log/audit.jsonl"],
    ["that is a pipe with a reader", "mkfifo log/audit.jsonl; sleep 5 <>log/audit.jsonl >/dev/null 2>&1 &"],
    ["that is a folder", "mkdir log/audit.jsonl"],
    ["that is a device", "mknod log/audit.jsonl c 1 3"],
    ["that is a socket", `python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("log/audit.jsonl")'`],
    ["that begins behind a link", ": >elsewhere; ln -s ../elsewhere log/audit.1.jsonl"],
    ["that begins behind a pipe", "mkfifo log/audit.3.jsonl"],
    ["that begins behind a folder", "mkdir log/audit.2.jsonl"],
  ];

  /** Runs the command in a namespace of mounts, where the folder `log` is the log's, laid out by `lay`. */
  async function withLog(of: Program, lay: string, command: string) {
    mkdirSync(join(of.home, "log"), { recursive: true });
    const script = `cd "$HOME"; ${lay}\ncd repo; exec ${command}`;
    const run = await execa("unshare", ["--mount", "sh", "-c", script], {
      env: { ...of.env, VAULT_RUN_AUDIT_DIR: join(of.home, "log") },
      extendEnv: false,
      reject: false,
      input: "from a stream",
    });
    const outcome = { status: run.exitCode, stdout: run.stdout, stderr: run.stderr };
    rmSync(join(of.home, "log"), { recursive: true, force: true });
    return outcome;
  }

  const WHY =
    /^vault-run: (cannot write the audit record|the audit log is not a plain file|the disk took only part)/gm;
  const started = (of: Program) => existsSync(join(of.home, "started"));
  const LAUNCH = `vault-run --agent crawler -- sh -c 'touch "$HOME/started"; echo done'`;
  const RELEASES = [
    LAUNCH,
    LAUNCH.replace(" -- ", " --no-redact -- "),
    "vault-run get stripe/API_KEY",
    "vault-run get stripe/API_KEY --agent crawler",
    "vault-run export stripe --format json",
    "vault-run redact --agent crawler",
  ];

  it.each(CASES)(
    "%s: nothing is released and nothing starts, by whatever verb",
    {
      timeout: 60_000,
    },
    async (_, lay) => {
      for (const command of [...RELEASES, "vault-run restore crawler --out -"]) {
        const { status, stdout, stderr } = await withLog(program, lay, command);
        expect(status, command).toBe(command.includes(" -- ") ? 125 : 1);
        expect(stdout, command).toBe("");
        expect(stderr.match(WHY), `${command}: ${stderr}`).toHaveLength(1);
        expect(stderr).not.toContain(VALUE);
        expect(started(program)).toBe(false);
      }
      expect(
        existsSync(join(program.home, "elsewhere")) && readFileSync(join(program.home, "elsewhere")).length,
      ).toBeFalsy();
    },
  );

  it.each(CASES)(
    "%s: with best-effort all goes on, with one warning",
    { timeout: 60_000 },
    async (_, lay) => {
      const of = lenient.copy();
      for (const command of RELEASES) {
        const { status, stdout, stderr } = await withLog(of, lay, command);
        expect(status, `${command}: ${stderr}`).toBe(0);
        expect(stdout).not.toBe("");
        expect(stderr.match(WHY), `${command}: ${stderr}`).toHaveLength(1);
        expect(started(of)).toBe(command.includes(" -- "));
        rmSync(join(of.home, "started"), { force: true });
      }
    },
  );

  it("that a full disk tore a line of is whole but for that line once there is room", {
    timeout: 60_000,
  }, async () => {
    // Room is given out in pages: the line that needs one more is written as far as the last one goes.
    const lay = `mount -t tmpfs -o size=16k tmpfs log
      i=0; while [ $i -lt 40 ]; do (cd repo; vault-run --agent crawler --quiet -- sh -c 'echo x >>"$HOME/started"') 2>>said || break; i=$((i + 1)); done
      mount -o remount,size=64k log; (cd repo; vault-run --agent crawler -- true)`;
    mkdirSync(join(program.home, "kept"));
    const { status, stderr } = await withLog(program, lay, "cp ../log/audit.jsonl ../kept/");
    expect(status, stderr).toBe(0);
    expect(readFileSync(join(program.home, "said"), "utf8")).toContain(
      "the disk took only part of the audit record",
    );
    const texts = readFileSync(join(program.home, "kept/audit.jsonl"), "utf8").split("\n");
    const whole = texts.filter((text) => text.startsWith('{"action":"launch"') && text.endsWith("}"));
    const ran = readFileSync(join(program.home, "started"), "utf8").split("\n").length - 1;
    expect(ran).toBeGreaterThan(5);
    expect(whole).toHaveLength(ran + 1);
    expect(texts.filter((text) => text !== "")).toHaveLength(ran + 2);
    expect(JSON.parse(whole.at(-1)!).prev).toBe(digest(Buffer.from(whole.at(-2)!)));
  });

  it("says so where a leak cannot be recorded, and the output is masked all the same", async () => {
    const script = 'rm "$HOME/log/audit.jsonl"; mkdir "$HOME/log/audit.jsonl"; echo "$API_KEY"';
    const command = `vault-run --agent crawler -- sh -c '${script}'`;
    const { status, stdout, stderr } = await withLog(program, ":", command);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "[REDACTED:stripe/API_KEY]" });
    expect(stderr.match(WHY)).toHaveLength(1);
    expect(stderr).toContain("masked in the output: stripe/API_KEY 1x");
  });

  it("has nothing symbolic followed where its files are moved away", async () => {
    const folder = dirname(program.auditLog);
    symlinkSync(join(program.home, "elsewhere"), join(folder, "audit.1.jsonl"));
    grow(program, 0);
    await program.must(["--agent", "crawler", "--", "true"]);
    expect(existsSync(join(program.home, "elsewhere"))).toBe(false);
    expect(statSync(join(folder, "audit.2.jsonl")).size).toBe(SEGMENT_BYTES);
  });
});

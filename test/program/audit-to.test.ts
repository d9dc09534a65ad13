import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { digest } from "../../src/vault/fingerprint.ts";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import type { Program } from "../fixtures/program.ts";

// The audit log's lines elsewhere than in its file: the same lines, and the same promise, no record and no value (11).

const JOURNAL = resolve(import.meta.dirname, "../fixtures/journal.sh");
const template = await crawlerTemplate();
let program: Program;
let linesInFile: number;
beforeEach(() => {
  program = template.copy();
  linesInFile = program.auditLines().length;
});

const elsewhere = () => join(program.home, "elsewhere.jsonl");
const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");
const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line));

async function shell(script: string, env: Record<string, string> = {}) {
  const run = await execa("sh", ["-c", script], {
    cwd: program.repo,
    env: { ...program.env, ...env },
    extendEnv: false,
    reject: false,
    input: "",
    stripFinalNewline: false,
  });
  return { status: run.exitCode, stdout: run.stdout, stderr: run.stderr };
}

/** As `audit` finds the lines, where they are put back into a file of their own. */
async function verified(lines: readonly string[]): Promise<void> {
  const folder = join(program.home, "again");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, "audit.jsonl"), lines.map((line) => `${line}\n`).join(""));
  const { stdout } = await program.run(["audit", "--json"], { env: { VAULT_RUN_AUDIT_DIR: folder } });
  const read: { status: string }[] = JSON.parse(stdout).lines;
  expect(read.map(({ status }) => status)).toEqual(lines.map(() => "verified"));
}

async function refused(script: string, env: Record<string, string> = {}): Promise<string> {
  const { status, stdout, stderr } = await shell(script, env);
  expect(status, stderr).not.toBe(0);
  expect(stdout).toBe("");
  expect(stderr).not.toContain(VALUE);
  expect(existsSync(join(program.home, "started"))).toBe(false);
  return stderr;
}
const START = 'sh -c \'touch "$HOME/started"; echo "$API_KEY"\'';

describe("--audit-to fd:N", () => {
  it("has the lines of a launch and of what was masked, one behind the other, and the file has none", async () => {
    const { status, stdout } = await shell(
      `vault-run --agent crawler --quiet --audit-to fd:3 -- sh -c 'echo "$API_KEY"' 3>>"$HOME/elsewhere.jsonl"`,
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: "[REDACTED:stripe/API_KEY]\n" });
    const lines = linesOf(readFileSync(elsewhere(), "utf8"));
    const [launch, leak] = parsed(lines);
    expect(launch).toMatchObject({ action: "launch", agent: "crawler", command: "sh" });
    expect(launch.prev).toBeUndefined();
    expect(leak).toMatchObject({ action: "leak", prev: digest(Buffer.from(lines[0]!)) });
    expect(program.auditLines()).toHaveLength(linesInFile);
    expect(lines.join()).not.toContain(VALUE);
    await verified(lines);
  });

  it("has a line of its own for what was masked behind a program's last, unended line on the same stream", async () => {
    for (const fd of [1, 2]) {
      const script = `vault-run --agent crawler --quiet --audit-to fd:${fd} -- sh -c 'printf "x=$API_KEY" >&${fd}'`;
      const { stdout, stderr } = await shell(script);
      const lines = linesOf(fd === 1 ? stdout : stderr);
      expect(lines[1]).toBe("x=[REDACTED:stripe/API_KEY]");
      expect(parsed([lines[0] ?? "", lines[2] ?? ""]).map(({ action }) => action)).toEqual([
        "launch",
        "leak",
      ]);
    }
  });

  it.each(["fd:7", "fd:2"])("%s works for every verb that records, by its variable too", async (to) => {
    const env = { VAULT_RUN_AUDIT_TO: to };
    const fd = to.slice(3);
    const { status, stderr } = await shell(
      `{ vault-run get stripe/API_KEY >/dev/null; vault-run get stripe/API_KEY --agent crawler >/dev/null
         vault-run export stripe --format json >/dev/null; echo x | vault-run redact --agent crawler >/dev/null
         printf new-value | vault-run set stripe/API_KEY; vault-run add-agent late; vault-run grant late stripe
         vault-run revoke late stripe >/dev/null; vault-run restore crawler --out - | cat >/dev/null
         vault-run get stripe/NONE --agent crawler || true
       } ${fd}>>"$HOME/elsewhere.jsonl"`,
      env,
    );
    expect(status, stderr).toBe(0);
    const lines = linesOf(readFileSync(elsewhere(), "utf8")).filter((line) => line.startsWith("{"));
    expect(parsed(lines).map(({ action }) => action)).toEqual(
      "get get get redact set add-agent grant revoke restore denied".split(" "),
    );
    expect(program.auditLines()).toHaveLength(linesInFile);
    await verified(lines);
  });

  it("is named by an option of the verb as well", async () => {
    const { status } = await shell('vault-run get stripe/API_KEY --audit-to fd:3 3>>"$HOME/elsewhere.jsonl"');
    expect(status).toBe(0);
    expect(parsed(linesOf(readFileSync(elsewhere(), "utf8")))).toMatchObject([{ action: "get" }]);
  });

  it("ends the half of a line that a killed writer left in the file", async () => {
    const half = '{"action":"launch","agent":"craw';
    writeFileSync(join(program.home, "elsewhere.jsonl"), half);
    const launch = 'vault-run --agent crawler --quiet --audit-to fd:3 -- true 3>>"$HOME/elsewhere.jsonl"';
    await shell(`${launch}; ${launch}`);
    const [first, ...lines] = readFileSync(join(program.home, "elsewhere.jsonl"), "utf8").split("\n");
    expect(first).toBe(half);
    expect(lines.map((line) => (line === "" ? "" : JSON.parse(line).action))).toEqual([
      "launch",
      "launch",
      "",
    ]);
  });

  it("keeps whole what many launches write at once", { timeout: 120_000 }, async () => {
    const { status } = await shell(
      `for i in $(seq 40); do vault-run --agent crawler --quiet --audit-to fd:3 -- true & done 3>>"$HOME/elsewhere.jsonl"; wait`,
    );
    expect(status).toBe(0);
    const lines = linesOf(readFileSync(elsewhere(), "utf8"));
    expect(lines).toHaveLength(40);
    await verified(lines);
  });

  it.each(["", "--no-redact"])("keeps the descriptor from the program (%s)", async (how) => {
    const { stdout } = await shell(
      `vault-run --agent crawler ${how} --audit-to fd:3 -- sh -c 'ls /proc/self/fd; echo forged >&3' 3>>"$HOME/elsewhere.jsonl" 4</dev/null`,
    );
    expect(stdout.split("\n").slice(0, 3)).toEqual(["0", "1", "2"]);
    expect(readFileSync(elsewhere(), "utf8")).not.toContain("forged");
    // The others it has.
    expect(stdout).toContain("\n4\n");
  });

  it.each([
    ["a full disk", "", "3>/dev/full", "ENOSPC"],
    ["a reader that went away", 'exec 3<>"$HOME/pipe" 4>"$HOME/pipe" 3<&-;', "3>&4", "EPIPE"],
    ["a descriptor that is for reading", 'exec 4<>"$HOME/pipe";', '3<"$HOME/pipe"', "EBADF"],
    ["a folder", "", '3<"$HOME"', "EBADF"],
    ["a file that two would write over", "", '3>"$HOME/elsewhere.jsonl"', "not opened for appending"],
    ["nothing", "", "3>/dev/null", "keeps nothing"],
    ["a descriptor that is not there", "", "", "was not handed on"],
  ])("with %s releases nothing and starts nothing", async (_, before, redirection, why) => {
    const launch = `vault-run --agent crawler --audit-to fd:3 -- ${START} ${redirection}`;
    expect(await refused(`mkfifo "$HOME/pipe"; ${before} ${launch}`)).toContain(why);
    expect(program.auditLines()).toHaveLength(linesInFile);
  });

  it("releases nothing to get, export and redact, nor gives a key back, where it cannot be written", async () => {
    for (const verb of [
      "get stripe/API_KEY",
      "get stripe/API_KEY --agent crawler",
      "export stripe --format json",
      "redact --agent crawler",
      "restore crawler --out -",
    ])
      expect(await refused(`vault-run ${verb} --audit-to fd:3 3>/dev/full`)).toContain("ENOSPC");
  });

  it("that nobody reads is waited for, and then given up", async () => {
    const full = `import fcntl, os, subprocess, sys
read, write = os.pipe()
fcntl.fcntl(write, fcntl.F_SETFL, os.O_NONBLOCK)
os.write(write, b"x" * 65536)
os.dup2(write, 9)
sys.exit(subprocess.run(["vault-run", "get", "stripe/API_KEY", "--audit-to", "fd:9"], pass_fds=[9]).returncode)`;
    writeFileSync(join(program.home, "full.py"), full);
    expect(await refused('python3 "$HOME/full.py"')).toContain("(EAGAIN): descriptor 9");
  });

  it("refuses what is no place, and the verbs that record nothing know no such option", async () => {
    for (const to of ["fd:0", "fd:x", "fd:03", "file", "SYSLOG"])
      expect(await refused(`vault-run --agent crawler --audit-to '${to}' -- ${START}`)).toContain(
        "--audit-to takes fd:N, syslog or journald",
      );
    expect(await refused(`vault-run --agent crawler --audit-to '' -- ${START}`)).toContain("needs a value");
    expect(await refused("vault-run get stripe/API_KEY", { VAULT_RUN_AUDIT_TO: "" })).toContain(
      "set but empty",
    );
    expect((await shell("vault-run list", { VAULT_RUN_AUDIT_TO: "fd:9" })).status).toBe(0);
    expect(await refused("vault-run list --audit-to fd:3")).toContain("unknown option '--audit-to'");
  });

  it("keeps `required` in a container that cannot be written to, where pins are only warned of", async () => {
    const script = `mount --bind "$HOME" "$HOME"; mount -o remount,ro,bind "$HOME"; cd "$HOME/repo"
      export XDG_STATE_HOME="$HOME/none"
      vault-run --agent crawler --quiet -- echo started >&2; echo "status $?"
      vault-run --agent crawler --quiet --audit-to fd:3 -- sh -c 'echo "started $API_KEY"'; echo "status $?"`;
    const { stdout, stderr } = await shell(
      `exec 3>>/dev/shm/audit-to.$$; unshare --mount sh -c '${script.replaceAll("'", `'\\''`)}'; cat /dev/shm/audit-to.$$; rm /dev/shm/audit-to.$$`,
    );
    const [first, second, third, ...lines] = linesOf(stdout);
    expect([first, second, third]).toEqual(["status 125", "started [REDACTED:stripe/API_KEY]", "status 0"]);
    expect(parsed(lines).map(({ action }) => action)).toEqual(["launch", "leak"]);
    expect(linesOf(stderr).filter((line) => line.includes("EROFS"))).toHaveLength(2);
    expect(stderr).not.toContain("started");
    await verified(lines);
  });
});

describe("--audit-to journald and syslog", () => {
  const beside = (script: string, env: Record<string, string> = {}) =>
    shell(`unshare --mount --propagation private sh ${JOURNAL} '${script.replaceAll("'", `'\\''`)}'`, env);

  it("give the journal the same lines, of launches at once too", { timeout: 120_000 }, async () => {
    const { stdout, stderr } = await beside(
      `for to in journald syslog; do
         vault-run --agent crawler --quiet --audit-to $to -- sh -c 'echo "$API_KEY"'
         vault-run get stripe/API_KEY --audit-to $to >/dev/null
       done
       for i in $(seq 20); do vault-run --agent crawler --quiet --audit-to journald -- true & done; wait`,
    );
    const [said = "", kept = ""] = stdout.split("===\n");
    expect(said, stderr).toBe("[REDACTED:stripe/API_KEY]\n[REDACTED:stripe/API_KEY]\n");
    const lines = linesOf(kept);
    const found = parsed(lines);
    expect(found.slice(0, 6).map(({ action }) => action)).toEqual([
      ...["launch", "leak", "get"],
      ...["launch", "leak", "get"],
    ]);
    expect(found).toHaveLength(26);
    expect(found[1].prev).toBe(digest(Buffer.from(lines[0]!)));
    expect(program.auditLines()).toHaveLength(linesInFile);
    expect(kept).not.toContain(VALUE);
    await verified(lines);
  });

  it("refuse a record that is too long for one message of theirs, and journald takes more", {
    timeout: 120_000,
  }, async () => {
    const many = Array.from({ length: 120 }, (_, n) => `NAME_${n}=value-of-${n}\n`).join("");
    writeFileSync(join(program.home, "many.env"), many);
    await program.must(["import", "../many.env", "--group", "stripe"]);
    linesInFile = program.auditLines().length;
    const { stdout, stderr } = await beside(
      `vault-run --agent crawler --audit-to syslog -- sh -c 'touch "$HOME/started"'; echo "status $?"
       vault-run --agent crawler --audit-to journald -- true; echo "status $?"`,
    );
    expect(stderr).toMatch(/the audit record has \d+ bytes, and syslog takes 8192 in one message/);
    const [said = "", kept = ""] = stdout.split("===\n");
    expect(said).toBe("status 125\nstatus 0\n");
    expect(existsSync(join(program.home, "started"))).toBe(false);
    expect(parsed(linesOf(kept))).toMatchObject([{ action: "launch", command: "true" }]);
    expect(kept.length).toBeGreaterThan(8192);
  });

  it.each(["journald", "syslog"])("%s: where there is none nothing is released or started", async (to) => {
    const script = `mount -t tmpfs tmpfs /run; vault-run --agent crawler --audit-to ${to} -- ${START}`;
    expect(await refused(`unshare --mount sh -c '${script.replaceAll("'", `'\\''`)}'`)).toContain("(ENOENT)");
    expect(
      await refused(
        `unshare --mount sh -c 'mount -t tmpfs tmpfs /run; vault-run get stripe/API_KEY --audit-to ${to}'`,
      ),
    ).toContain("(ENOENT)");
  });

  it.each(["journald", "syslog"])(
    "%s: without koffi nothing is released or started, and that is said",
    async (to) => {
      const PATH = [inject("plainBinFolder"), "/usr/bin", "/bin"].join(delimiter);
      const script = `vault-run --agent crawler --audit-to ${to} -- ${START}`;
      expect(await refused(script, { PATH })).toContain("the optional package koffi is not installed");
    },
  );
});

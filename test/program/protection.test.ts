import { readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import { UNPRIVILEGED } from "../fixtures/isolation.ts";
import type { Program } from "../fixtures/program.ts";

// The memory of vault-run itself, which holds what redaction looks for as long as the program runs.

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const PLAIN = () =>
  program.env.PATH?.split(delimiter).with(0, inject("plainBinFolder")).join(delimiter) ?? "";
// It ends by itself where vault-run was killed.
const SCRIPT = "cat /proc/self/coredump_filter; i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done";

async function start(env: Record<string, string>, limit = "ulimit -c 0") {
  const launch = ["vault-run", "--agent", "crawler", "--only", "stripe/API_KEY", "--", "sh", "-c", SCRIPT];
  const settings = { cwd: program.repo, env, extendEnv: false, reject: false };
  const [file = "", ...args] = UNPRIVILEGED;
  const child = execa(file, [...args, "sh", "-c", `${limit}; exec "$@"`, "sh", ...launch], settings);
  const found = await new Promise<string>((resolve) =>
    child.stdout.once("data", (data) => resolve(String(data))),
  );
  const { pid } = child;
  if (pid === undefined) throw new Error("not started");
  return { child, pid, filterOfProgram: found.trim() };
}

const look = (path: string) =>
  execa(UNPRIVILEGED[0] ?? "", [...UNPRIVILEGED.slice(1), "cat", path], { reject: false });

describe("vault-run's own memory", () => {
  it("is left out of core dumps from the start; the program's are as they were (A17)", async () => {
    const { child, pid, filterOfProgram } = await start(
      { ...program.env, PATH: PLAIN() },
      "ulimit -c unlimited",
    );
    expect(readFileSync(`/proc/${pid}/coredump_filter`, "utf8").trim()).toBe("00000000");
    expect(filterOfProgram).toBe(readFileSync("/proc/self/coredump_filter", "utf8").trim());
    process.kill(pid, "SIGSEGV");
    expect((await child).signal).toBe("SIGSEGV");
    // Where the system writes core dumps into the folder of the process, there is one, and nothing in it.
    for (const name of readdirSync(program.repo).filter((file) => file.startsWith("core")))
      expect(readFileSync(join(program.repo, name)).includes(VALUE)).toBe(false);
  });

  it("is closed to other processes of the same user soon after the program started (A16)", async () => {
    const { child, pid } = await start(program.env);
    let code: number | undefined = 0;
    for (let looks = 0; code === 0 && looks < 100; looks++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      code = (await look(`/proc/${pid}/environ`)).exitCode;
    }
    expect(code).not.toBe(0);
    expect((await look(`/proc/${pid}/maps`)).exitCode).not.toBe(0);
    // The look itself is no mistake: the program is as open as it would be alone.
    const { stdout: children } = await execa("pgrep", ["-P", `${pid}`]);
    expect((await look(`/proc/${children.split("\n")[0]}/environ`)).exitCode).toBe(0);
    child.kill("SIGTERM");
    expect((await child).exitCode).toBe(143);
  });

  it("is in no core dump where handing over fails at the last moment, and the program's dumps are its own (promise 1)", async () => {
    const script = [
      "ulimit -c unlimited",
      "cp /bin/true busy; exec 9>>busy",
      "vault-run --agent crawler --no-redact -- ./busy 9>&-; echo $?",
      "exec 9>&-; ls core* 2>/dev/null",
      "vault-run --agent crawler --no-redact -- sh -c 'cat /proc/self/coredump_filter; ulimit -c; kill -SEGV $$'; echo $?",
    ];
    const settings = { cwd: program.repo, env: program.env, extendEnv: false, reject: false };
    const { stdout, stderr } = await execa("bash", ["-c", script.join("\n")], settings);
    const filter = readFileSync("/proc/self/coredump_filter", "utf8").trim();
    expect(stdout.split("\n"), stderr).toEqual(["134", filter, "unlimited", "139"]);
    const plain = { ...program.env, PATH: PLAIN() };
    const without = await execa(
      "bash",
      ["-c", "ulimit -c unlimited; vault-run --agent crawler --no-redact -- true"],
      {
        ...settings,
        env: plain,
      },
    );
    expect(without.stderr).toBe(
      "vault-run: --no-redact: the program is supervised, not handed over: core dumps are on, and the optional package koffi is not installed",
    );
  });

  it("shows the program no key, where that came in a variable: not even to its first look (promise 3, A16)", async () => {
    const keys = join(program.home, ".config/vault-run");
    const [vault = ""] = readdirSync(keys);
    const key = readFileSync(join(keys, vault, "agents/crawler.key"), "utf8");
    const identity = /AGE-SECRET-KEY-\S+/.exec(key)?.[0] ?? "none";
    const read = "import os; print(open(f'/proc/{os.getppid()}/environ').read())";
    const launch = (path: string, env: Record<string, string>) => {
      const [file = "", ...args] = UNPRIVILEGED;
      const command = ["vault-run", "--agent", "crawler", "--quiet", "--", "python3", "-c", read];
      const settings = { cwd: program.repo, env: { ...program.env, PATH: path, ...env } } as const;
      return execa(file, [...args, ...command], { ...settings, extendEnv: false, reject: false });
    };
    const { PATH = "" } = program.env;
    const hidden = await launch(PATH, { VAULT_RUN_KEY: key });
    expect(hidden.stdout).toBe("");
    expect(hidden.stderr).toContain("PermissionError");
    const copied = await launch(PATH, { VAULT_RUN_KEY: key, MY_COPY: identity });
    expect(copied.stdout).toBe("");
    // Without the library it is open, which is said. It shows that the look above would have found it.
    const open = await launch(PLAIN(), { VAULT_RUN_KEY: key });
    expect(open.stdout).toContain(identity);
    expect(open.stderr).toBe(
      "vault-run: the program can read vault-run's own environment, and in it VAULT_RUN_KEY: the optional package koffi is not installed",
    );
    const fromFile = await launch(PLAIN(), {});
    expect(fromFile.stderr).toBe("");
    expect(fromFile.stdout).not.toContain(identity);
  });
});

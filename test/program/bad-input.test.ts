import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";
import { git } from "../fixtures/vault.ts";

// Bad input gets one clear line, the next step, the documented exit status, and nothing lost or half done.

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.must(["add-agent", "crawler"]);
  await made.set("stripe/API_KEY", "sk_live_value");
  await made.must(["grant", "crawler", "stripe"]);
});
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const configFolder = () => {
  const folder = join(program.home, ".config/vault-run");
  return join(folder, readdirSync(folder)[0] ?? "");
};

async function refused(
  args: readonly string[],
  status: 1 | 2,
  input: string | Uint8Array = "",
  env: Record<string, string> = {},
): Promise<string> {
  const before = program.snapshot();
  const outcome = await program.run(args, { input: input as string, env });
  expect(outcome.stderr).toMatch(
    /^(vault-run: the final line break [^\n]+\n)?vault-run: [^\n]+\n {2}[^\n]+\n$/,
  );
  expect({ status: outcome.status, stdout: outcome.stdout }).toEqual({ status, stdout: "" });
  expect(program.snapshot()).toBe(before);
  return outcome.stderr;
}

describe("a verb refuses", () => {
  it.each([
    [["nothing"], 2, "no such verb"],
    [["set"], 2, "takes <group/name>"],
    [["set", "stripe"], 2, "no group before the secret's name"],
    [["set", "../API_KEY"], 2, "not a group's name"],
    [["set", "stripe/1KEY"], 2, "not a secret's name"],
    [["set", "stripe/API_KEY", "--value", "x"], 2, "--value"],
    [["set", "stripe/API_KEY", "sk_live_on_the_command_line"], 2, "never taken from the command line"],
    [["get"], 2, "takes <group/name>, and nothing was given"],
    [["export", "stripe"], 2, "no format is named"],
    [["rollback", "stripe/API_KEY"], 2, "vault-run history stripe/API_KEY"],
    [["set", "stripe/X", "--expires", "yesterday"], 2, "not a time"],
    [["set", "stripe/X", "--expires", "2020-01-01"], 2, "already past"],
    [["set", "stripe/X", "--description", "a\u001b[31m"], 2, "a description is one line"],
    [["set", "stripe/X", "--from-file", "missing"], 1, "cannot read (ENOENT)"],
    [["add-agent", "Crawler"], 2, "not an agent's name"],
    [["add-agent", "crawler"], 1, "an agent of this name already"],
    [["add-agent", "-x"], 2, "-x"],
    [["grant", "nobody", "stripe"], 1, "no agent of this name"],
    [["grant", "stripe", "crawler"], 1, "the agent comes first: vault-run grant crawler stripe"],
    [["revoke", "stripe", "crawler"], 1, "the agent comes first: vault-run revoke crawler stripe"],
    [["grant", "stripe", "nobody"], 1, "no agent of this name: stripe"],
    [["grant", "nothing", "crawler"], 1, "no agent of this name: nothing"],
    [["grant", "crawler", "nothing"], 1, "no group of this name"],
    [["revoke", "crawler", "nothing"], 1, "no group of this name"],
    [["remove-agent", "nobody"], 1, "no agent of this name"],
    [["unset", "stripe/NOTHING"], 1, "no secret of this name"],
    [["get", "stripe/NOTHING"], 1, "no secret of this name"],
    [["get", "nothing/NOTHING"], 1, "no group of this name"],
    [["list", "nothing"], 1, "no group of this name"],
    [["init"], 1, "there is a vault already"],
    [["status", "--vault", "/nowhere"], 1, "no vault here"],
    [["status", "--owner-key-file", "missing"], 1, "cannot read the key file"],
  ] as const)("%j with status %i", async (args, status, words) => {
    expect(await refused(args, status)).toContain(words);
  });

  it("what an unset variable of a shell leaves of an option's value, before it is taken for the current folder", async () => {
    for (const option of ["--vault", "--owner-key-file"])
      expect(await refused(["status", option, ""], 2)).toContain(`option '${option}' needs a value`);
  });

  it.each([
    ["too long", () => "x".repeat(300)],
    ["a link to itself", () => "loop"],
    ["behind a link to itself", () => "loop/further/down"],
    ["a file", () => "file"],
    ["below a file", () => "file/.vault"],
  ])("a place for the vault that is none (%s), and a launch does with 125", async (_, place) => {
    symlinkSync("loop", join(program.repo, "loop"));
    writeFileSync(join(program.repo, "file"), "");
    expect(await refused(["list", "--vault", place()], 1)).toContain("vault-run: no vault here: /");
    const launch = ["--agent", "crawler", "--vault", place(), "--", "touch", "started"];
    const { status, stderr } = await program.run(launch);
    expect(status).toBe(125);
    expect(stderr).toMatch(
      /^vault-run: no vault here: \/[^\n]+\n {2}name the folder that holds \.vault[^\n]+\n$/,
    );
    expect(existsSync(join(program.repo, "started"))).toBe(false);
    const { status: ended, stderr: said } = await program.run(["init", "--classic", "--vault", place()]);
    expect(said).not.toContain("defect");
    expect(ended).not.toBe(0);
  });

  it("to write a key file to where it cannot look, without a word of a file that is there", async () => {
    symlinkSync("loop", join(program.repo, "loop"));
    for (const args of [
      ["rekey", "--owner"],
      ["rekey", "crawler"],
      ["add-agent", "another"],
    ])
      expect(await refused([...args, "--out", "loop/new.key"], 1)).toContain(
        `vault-run: cannot write the key file (ELOOP): ${program.repo}/loop/new.key`,
      );
  });

  it("a folder in the place of a key file, without the advice to change its mode", async () => {
    const error = await refused(["status", "--owner-key-file", "."], 1);
    expect(error).toContain("not a key file, it is a folder");
    expect(error).not.toContain("chmod");
  });

  it("options before the verb, and says what stands first", async () => {
    for (const args of [
      ["--vault", ".", "status"],
      ["--json", "status"],
    ])
      expect(await refused(args, 2)).toBe(
        "vault-run: a verb stands before its options\n  write it as: vault-run status ...\n",
      );
  });

  it.each([
    [["grant", "crawlre", "stripe"], "did you mean crawler?"],
    [["grant", "crawler", "strip"], "did you mean stripe?"],
    [["get", "stripe/API_KYE"], "did you mean stripe/API_KEY?"],
    [["history", "strip/API_KEY"], "did you mean stripe/API_KEY?"],
    [["remove-owner", "ownr"], "did you mean owner?"],
    [["get", "stripe/API_KEY", "--agent", "crawlr"], "did you mean --agent crawler?"],
    [["get", "strip/API_KEY", "--agent", "crawler"], "did you mean stripe?"],
  ] as const)("a name that is nearly one that there is, with that one: %j", async (args, hint) => {
    expect(await refused(args, 1)).toContain(`\n  ${hint}\n`);
  });

  it("a name of what was removed, by when it was, without a guess", async () => {
    await program.set("stripe/API_KEY2", "sk_live_value_2");
    await program.must(["unset", "stripe/API_KEY2"]);
    expect(await refused(["get", "stripe/API_KEY2"], 1)).toMatch(
      /removed on \d{4}-\d\d-\d\d: stripe\/API_KEY2\n {2}its versions: vault-run history stripe\/API_KEY2\n/,
    );
    await program.must(["add-agent", "crawler2"]);
    await program.must(["remove-agent", "crawler2"]);
    expect(await refused(["grant", "crawler2", "stripe"], 1)).toMatch(/removed on .*\n {2}see the agents/);
  });

  it("a group that no secret made yet, and says what makes one", async () => {
    expect(await refused(["grant", "crawler", "nothing"], 1)).toContain("vault-run set nothing/NAME");
  });

  it("a name in a vault in which a record is missing, without a guess", async () => {
    rmSync(join(program.repo, ".vault/groups/stripe/group.json"));
    expect(await refused(["grant", "crawler", "strip"], 1)).toContain("see the groups there are");
  });

  it.each([
    ["an empty value", "", "an empty value"],
    ["an empty line", "\n", "an empty value"],
    ["a value of 2 MiB", "x".repeat(2 * 1024 * 1024), "at most 1 MiB"],
    ["a NUL byte", "a\0b", "NUL byte"],
    ["bytes that are no text", new Uint8Array([0xff, 0xfe, 0xfd]), "not UTF-8"],
  ])("%s", async (_, input, words) => {
    const error = await refused(["set", "stripe/API_KEY"], 1, input);
    expect(error).toContain(words);
    expect(await program.must(["get", "stripe/API_KEY"])).toBe("sk_live_value");
  });

  it("to list a folder that is no group, by the record that is not there", async () => {
    mkdirSync(join(program.repo, ".vault/groups/ghost"));
    expect(await refused(["list"], 1)).toContain("gone without a tombstone: .vault/groups/ghost/group.json");
  });

  it("without a key, with a wrong one, or one of another vault", async () => {
    const owner = join(configFolder(), "owner.key");
    const text = readFileSync(owner, "utf8");
    chmodSync(owner, 0o644);
    expect(await refused(["status"], 1)).toContain("others can read this key file");
    rmSync(owner);
    expect(await refused(["set", "stripe/X"], 1, "value-of-x")).toContain("no owner key");
    const foreign = Program.empty();
    await foreign.must(["init", "--classic", "--owner-key-file", join(foreign.home, "foreign.key")]);
    expect(await refused(["status", "--owner-key-file", join(foreign.home, "foreign.key")], 1)).toContain(
      "this key is for vault",
    );
    const agentKey = join(configFolder(), "agents/crawler.key");
    expect(await refused(["status", "--owner-key-file", agentKey], 1)).toContain("the key of agent crawler");
    writeFileSync(owner, text.replace(/AGE-SECRET-KEY-1.*/, "AGE-SECRET-KEY-1"), { mode: 0o600 });
    expect(await refused(["status"], 1)).toContain("not a key file");
  });

  it("where git is not ready for a commit, before anything is written", async () => {
    const head = program.git("rev-parse", "HEAD");
    program.git("checkout", "--quiet", "--detach");
    expect(await refused(["set", "stripe/X"], 1, "value-of-x")).toContain("HEAD is detached");
    // At a terminal that is said before anybody types a value.
    const { shown, status } = await onTerminal(program, ["vault-run", "set", "stripe/X"]);
    expect(shown).toMatch(/^vault-run: HEAD is detached/);
    expect(status).toBe(1);
    await program.must(["set", "stripe/X", "--no-commit"], { input: "value-of-x" });
    expect(program.git("rev-parse", "HEAD")).toBe(head);
    expect(program.git("status", "--porcelain", "--untracked-files=all")).toBe(
      "?? .vault/groups/stripe/secrets/X.json",
    );
  });

  it("where git does not know its user", async () => {
    program.git("config", "--unset", "user.email");
    program.git("config", "user.useConfigOnly", "true");
    expect(await refused(["set", "stripe/X"], 1, "value-of-x")).toContain("git does not know who you are");
    // As in CI, where the environment says it.
    const who = (role: string) => ({ [`GIT_${role}_NAME`]: "ci", [`GIT_${role}_EMAIL`]: "ci@example.org" });
    const env = { ...who("AUTHOR"), ...who("COMMITTER") };
    await program.must(["set", "stripe/X"], { input: "value-of-x", env });
    expect(program.git("log", "-1", "--format=%an %ce")).toBe("ci ci@example.org");
  });

  it("where git is missing", async () => {
    const folder = join(program.home, "bin");
    mkdirSync(folder);
    const found = (
      await execa("sh", ["-c", "command -v node; command -v vault-run"], {
        env: program.env,
        extendEnv: false,
      })
    ).stdout.split("\n");
    for (const path of found) await execa("ln", ["-s", path, folder]);
    await execa("ln", ["-s", "/usr/bin/env", folder]);
    const before = program.snapshot();
    const outcome = await program.run(["set", "stripe/X"], { input: "value-of-x", env: { PATH: folder } });
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining("git was not found") });
    expect(program.snapshot()).toBe(before);
  });

  it("where the lock is held, naming who holds it", async () => {
    mkdirSync(join(program.repo, ".git/vault-run"), { recursive: true });
    const holder = { pid: 1, host: "another-host", doing: "revoke", started: "1", token: "00" };
    writeFileSync(join(program.repo, ".git/vault-run/lock"), JSON.stringify(holder));
    const waiting = program.start(["set", "stripe/X"], { input: "value-of-x", timeout: 4000 });
    const { stderr } = await waiting;
    expect(stderr).toContain("waiting for another vault-run: revoke, process 1");
  });
});

describe("standard input that is a folder", () => {
  it.each([
    [["redact", "--agent", "crawler"]],
    [["set", "stripe/X"]],
    [["scan", "-"]],
    [["import", "-", "--group", "app"]],
    [["add-owner", "backup", "--card", "-"]],
    [["mcp", "--agent", "crawler"]],
  ])("is not taken for an empty file by %j", async (args) => {
    const before = program.snapshot();
    const outcome = await program.runAs(["sh", "-c", 'exec vault-run "$@" </', "sh"], args);
    expect(outcome).toMatchObject({ status: 1, stdout: "" });
    expect(outcome.stderr).toBe(
      "vault-run: standard input is a folder\n  give a file, or pipe in what is to be read\n",
    );
    expect(program.snapshot()).toBe(before);
  });
});

describe("a key that nobody takes", () => {
  const unread: [string, string][] = [
    ["on a full disk", 'exec vault-run "$@" > /dev/full'],
    ["by a pipe without a reader", 'vault-run "$@" | true; exit ${PIPESTATUS[0]}'],
    ["on a standard output that is closed", 'exec vault-run "$@" >&-'],
    ["where all is lost", 'exec vault-run "$@" > /dev/null'],
  ];
  const verbs = [
    ["rekey", "--owner", "--out", "-", "--yes"],
    ["rekey", "crawler", "--out", "-", "--yes"],
    ["add-owner", "other", "--out", "-", "--yes"],
    ["add-agent", "other", "--out", "-"],
    ["restore", "crawler", "--out", "-", "--yes"],
  ];

  it.each(unread)("%s is made for nobody: nothing is changed", async (_, script) => {
    const before = program.snapshot();
    for (const args of verbs) {
      const { status, stderr } = await program.runAs(["bash", "-c", script, "bash"], args);
      expect(status, args.join(" ")).toBe(1);
      expect(stderr).toMatch(
        /^vault-run: (cannot write the (key|output) \(E[A-Z]+\)|standard output is closed, or )[^\n]*\n {2}[^\n]+\n$/,
      );
      expect(program.snapshot()).toBe(before);
    }
    await program.set("stripe/OTHER", "the-owner-is-still-in");
    expect(await program.must(["get", "stripe/OTHER"])).toBe("the-owner-is-still-in");
  });

  it.each([
    ["behind a file", "README/key", "ENOTDIR"],
    ["behind a link to itself", "loop/key", "ELOOP"],
    ["with a name that is too long", "k".repeat(300), "ENAMETOOLONG"],
    ["with a name that is too long for a draft", "k".repeat(240), "ENAMETOOLONG"],
  ])("%s leaves nothing for the next verb to trip over", async (_, place, code) => {
    writeFileSync(join(program.repo, "README"), "a file\n");
    symlinkSync("loop", join(program.repo, "loop"));
    for (const args of [
      ["add-agent", "other"],
      ["rekey", "crawler", "--yes"],
      ["rekey", "--owner", "--yes"],
      ["restore", "crawler", "--yes"],
    ])
      expect(await refused([...args, "--out", place], 1)).toContain(`cannot write the key file (${code})`);
    expect(readdirSync(join(program.repo, ".git/vault-run"))).toEqual([]);
    await program.must(["add-agent", "other"]);
  });
});

describe("get", () => {
  it("with anything that says agent never reaches the owner's key (promise 4)", async () => {
    const credentials = join(program.home, "credentials");
    mkdirSync(credentials);
    writeFileSync(join(credentials, "vault-run-key"), "not a key", { mode: 0o600 });
    for (const env of [
      { VAULT_RUN_KEY_FILE: "/nowhere" },
      { VAULT_RUN_KEY: "x" },
      { VAULT_RUN_AGENT: "nobody" },
      { CREDENTIALS_DIRECTORY: credentials },
    ]) {
      await refused(["get", "stripe/API_KEY"], 1, "", env as unknown as Record<string, string>);
    }
    expect(await program.must(["get", "stripe/API_KEY"])).toBe("sk_live_value");
  });
});

describe("a value is released", () => {
  const unwritable = { VAULT_RUN_AUDIT_DIR: "/proc/self" };

  it("to the owner, too, only once that is recorded (promise 11)", async () => {
    expect(await refused(["get", "stripe/API_KEY"], 1, "", unwritable)).toContain(
      "cannot write the audit record",
    );
    const agent = ["get", "stripe/API_KEY", "--agent", "crawler"];
    expect(await refused(agent, 1, "", unwritable)).toContain("cannot write the audit record");
  });

  it("with a warning instead where the owner chose the policy best-effort", async () => {
    const lenient = Program.empty();
    await lenient.must(["init", "--classic", "--audit", "best-effort"]);
    await lenient.must(["add-agent", "crawler"]);
    await lenient.set("stripe/API_KEY", "sk_live_value");
    await lenient.must(["grant", "crawler", "stripe"]);
    const commands = [
      ["get", "stripe/API_KEY"],
      ["get", "stripe/API_KEY", "--agent", "crawler"],
      ["--agent", "crawler", "--", "echo", "sk_live_value"],
    ];
    for (const command of commands) {
      const outcome = await lenient.run(command, { env: unwritable });
      expect(outcome.status).toBe(0);
      expect(outcome.stderr).toContain("cannot write the audit record");
    }
  });
});

describe("add-agent --out -", () => {
  it("prints the key file and nothing else, and leaves no copy on disk (promise 1)", async () => {
    const text = await program.must(["add-agent", "second", "--out", "-"]);
    expect(text).toMatch(/^(# [^\n]*\n){5}AGE-SECRET-KEY-1\w+\n$/);
    const key = /AGE-SECRET-KEY-1\w+/.exec(text)?.[0] ?? "";
    const found = await execa("grep", ["-r", "-l", key, program.home], { reject: false });
    expect({ status: found.exitCode, files: found.stdout }).toEqual({ status: 1, files: "" });
    await program.must(["grant", "second", "stripe"]);
    const launched = await program.run(["--", "true"], { env: { VAULT_RUN_KEY: text } });
    expect(launched).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("a clone whose git changes line ends", () => {
  it("is still a vault", async () => {
    const clone = join(program.home, "clone");
    await execa("git", ["clone", "--quiet", "-c", "core.autocrlf=true", program.repo, clone]);
    expect(await program.must(["get", "stripe/API_KEY"], { cwd: clone })).toBe("sk_live_value");
  });
});

describe("a vault behind a link", () => {
  it("is changed like any other", async () => {
    await execa("ln", ["-s", program.repo, join(program.home, "linked")]);
    await program.must(["set", "stripe/X", "--vault", join(program.home, "linked")], { input: "value-of-x" });
    expect(await program.must(["get", "stripe/X"])).toBe("value-of-x");
  });
});

describe("without a home worth its name", () => {
  it("nothing is ever put into the current folder", async () => {
    const outcome = await program.run(["status"], { env: { HOME: "relative" } });
    expect(outcome.status).toBe(1);
    expect(program.snapshot()).toBe(template.snapshot());
    expect(existsSync(join(program.repo, "relative"))).toBe(false);
  });
});

describe("init refuses", () => {
  it("outside a repository and in a bare one, leaving nothing", async () => {
    const empty = Program.empty();
    const folder = join(empty.home, "plain");
    mkdirSync(folder);
    const outside = await empty.run(["init"], { cwd: folder });
    expect(outside).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("not inside a git work tree"),
    });
    const bare = join(empty.home, "bare");
    mkdirSync(bare);
    git(bare, "init", "--quiet", "--bare");
    expect(await empty.run(["init"], { cwd: bare })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("not inside a git work tree"),
    });
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join(empty.home, ".config"))).toBe(false);
  });

  it("where it cannot write, and takes its key file back", async () => {
    const empty = Program.empty();
    mkdirSync(join(empty.repo, ".git/hooks"), { recursive: true });
    writeFileSync(join(empty.repo, ".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    expect(await empty.run(["init"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("git commit failed"),
    });
    expect(existsSync(join(empty.repo, ".vault"))).toBe(false);
    const [id] = readdirSync(join(empty.home, ".config/vault-run"));
    expect(readdirSync(join(empty.home, ".config/vault-run", id ?? ""))).toEqual([]);
  });
});

describe("a key file that exists", () => {
  it("is never overwritten", async () => {
    const out = join(program.home, "agent.key");
    writeFileSync(out, "mine");
    expect(await refused(["add-agent", "second", "--out", out], 1)).toContain("left alone");
    expect(readFileSync(out, "utf8")).toBe("mine");
  });
});

describe("a full or read-only disk", () => {
  it("changes nothing and loses nothing (promise 8)", { timeout: 300_000 }, async () => {
    // A file system of 2 MiB in a mount namespace of its own: the repository lies on it, and it is filled up to a few
    // pages, so that the operation fails at another point each time, or succeeds.
    const script = `
      set -e
      mount -t tmpfs -o size=2m tmpfs "$DISK"
      cp -r "$REPO/." "$DISK"
      cd "$DISK"
      for pages in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 20 24 32 48 64; do
        head -c 4m /dev/zero > .git/filler 2>/dev/null || true
        truncate -s "-$((pages * 4096))" .git/filler
        status=0; printf "value-$pages-of-the-secret" | vault-run set stripe/API_KEY 2>"$ERRORS" || status=$?
        [ $status = 0 ] || sed -n 1p "$ERRORS"
        rm -f .git/filler
        [ -z "$(git status --porcelain --untracked-files=all)" ]
        [ $status != 0 ] || last="value-$pages-of-the-secret"
        [ "$(vault-run get stripe/API_KEY)" = "\${last-sk_live_value}" ]
        echo "$pages: $status"
      done
      mount -o remount,ro "$DISK"
      status=0; printf 'other-value' | vault-run set stripe/API_KEY 2>&1 || status=$?
      echo "read-only: $status"
    `;
    const disk = join(program.home, "disk");
    mkdirSync(disk);
    const env = { ...program.env, DISK: disk, REPO: program.repo, ERRORS: join(program.home, "errors") };
    const { stdout } = await execa("unshare", ["--mount", "--map-root-user", "sh", "-c", script], {
      env,
      extendEnv: false,
    });
    const statuses = [...stdout.matchAll(/^\d+: (\d)$/gm)].map((match) => match[1]);
    expect(statuses[0]).toBe("1");
    expect(statuses.at(-1)).toBe("0");
    expect(statuses).toHaveLength(22);
    for (const line of stdout.split("\n").filter((text) => text.startsWith("vault-run: "))) {
      expect(line).toMatch(/^vault-run: (finished what|cannot [a-z ]+ \((ENOSPC|EROFS)\)|git [a-z]+ failed)/);
    }
    expect(stdout).toMatch(/vault-run: cannot [^\n]*\(EROFS\)[^\n]*\n {2}[^\n]+\nread-only: 1$/);
  });
});

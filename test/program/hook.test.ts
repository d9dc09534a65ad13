import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { type Outcome, Program } from "../fixtures/program.ts";
import { onTerminal, type Step } from "../fixtures/terminal.ts";
import { bech32Identity } from "../scan/samples.ts";

// With whatever git is installed: what must hold is the same where git has hooks in its configuration and where it has not.

const API_KEY = "Zx9k4q7vhT2mW8-live";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await made.set("stripe/API_KEY", API_KEY);
});

/** git as a user runs it, whose hooks find the program. */
function git(program: Program, args: string[], cwd = program.repo): Outcome {
  const env = {
    ...program.env,
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@b",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@b",
  };
  const done = execaSync("git", args, { cwd, env, extendEnv: false, reject: false });
  return { status: done.exitCode, signal: done.signal, stdout: done.stdout, stderr: done.stderr };
}

function must(program: Program, args: string[], cwd = program.repo): string {
  const done = git(program, args, cwd);
  if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

function commit(program: Program, name: string, content: string, cwd = program.repo): Outcome {
  writeFileSync(join(cwd, name), content);
  must(program, ["add", "--force", name], cwd);
  return git(program, ["commit", "--message", `add ${name}`], cwd);
}

/** Writes a hook that notes each run, and ends with 0 whatever is. */
function writeHook(program: Program, path: string, lines = ""): string {
  const log = join(program.home, "hook.log");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(
    path,
    `#!/bin/sh\necho "$(basename "$(dirname "$0")") $# $*" >> '${log}'\n${lines}\nexit 0\n`,
  );
  chmodSync(path, 0o711);
  return log;
}

/** Every file of a folder with its mode and bytes. */
function contentsOf(folder: string): string[] {
  return readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() ? `${name} ${statSync(path).mode} ${readFileSync(path, "base64")}` : name;
  });
}

const blocked = (outcome: Outcome, head: () => string, before: string) => {
  expect(outcome.status).toBe(1);
  expect(outcome.stdout + outcome.stderr).toContain("the value of stripe/API_KEY");
  expect(outcome.stdout + outcome.stderr).not.toContain(API_KEY);
  expect(head()).toBe(before);
};

describe("hook install", () => {
  it.each([
    ["in a plain repository", [] as string[], ".git/hooks"],
    ["where core.hooksPath names a folder", ["config", "core.hooksPath", "tools/hooks"], "tools/hooks"],
  ])(
    "%s keeps the hook that is there, blocks on findings, and goes without a trace",
    async (_, setup, folder) => {
      const program = template.copy();
      if (setup.length > 0) must(program, setup);
      const hooks = join(program.repo, folder);
      const log = writeHook(program, join(hooks, "pre-commit"));
      const before = [contentsOf(hooks), readFileSync(join(program.repo, ".git/config"), "utf8")];
      await program.must(["hook", "install"]);
      await program.must(["hook", "install"]);
      const head = () => must(program, ["rev-parse", "HEAD"]);
      const start = head();
      blocked(commit(program, "bad.txt", `key=${API_KEY}\n`), head, start);
      expect(commit(program, "bad.txt", "clean\n").status).toBe(0);
      expect(readFileSync(log, "utf8")).toContain("hooks 0 \n");
      const { hooks: told } = JSON.parse(await program.must(["hook", "status", "--json"]));
      expect(told[0]).toMatchObject({ event: "pre-commit", installed: true, other: true });
      await program.must(["hook", "uninstall"]);
      expect([contentsOf(hooks), readFileSync(join(program.repo, ".git/config"), "utf8")]).toEqual(before);
      expect(commit(program, "bad.txt", `key=${API_KEY}\n`).status).toBe(0);
    },
  );

  it("says so where there is nothing to take out", async () => {
    const { status, stderr } = await template.copy().run(["hook", "uninstall", "--on", "pre-push"]);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: "vault-run: nothing to do: no pre-push hook of vault-run is here\n",
    });
  });

  it("writes where git looks, and asks before it writes for other repositories, with git 2.25", async () => {
    const program = template.copy();
    const env = oldGit(program);
    await program.must(["hook", "install"], { env });
    expect(readdirSync(program.repo).filter((name) => name.startsWith("-"))).toEqual([]);
    const head = () => must(program, ["rev-parse", "HEAD"]);
    blocked(commit(program, "bad.txt", `key=${API_KEY}\n`), head, head());
    await program.must(["hook", "uninstall"], { env });
    const shared = join(program.home, "hooks");
    must(program, ["config", "--global", "core.hooksPath", shared]);
    expect((await program.run(["hook", "install"], { env })).stderr).toContain("serves other repositories");
    expect(existsSync(shared)).toBe(false);
    must(program, ["config", "core.hooksPath", shared]);
    await program.must(["hook", "install"], { env });
    expect(existsSync(join(shared, "pre-commit"))).toBe(true);
  });

  it.each(["/dev/null", "/dev/null/below"])(
    "is refused in words where core.hooksPath is %s",
    async (path) => {
      if (hasConfiguredHooks()) return;
      const program = template.copy();
      must(program, ["config", "--global", "core.hooksPath", path]);
      const { status, stderr } = await program.run(["hook", "install", "--yes"]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/names no folder.*: \/dev\/null/)]);
      const { hooks } = JSON.parse(await program.must(["hook", "status", "--json"]));
      expect(hooks[0]).toMatchObject({ installed: false, other: false });
      expect((await program.run(["hook", "uninstall"])).stderr).toContain("nothing to do");
    },
  );

  it("counts as done only what git runs: a hook that lost its x bit is given it", async () => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const hook = join(program.repo, ".git/hooks/pre-commit");
    await program.must(["hook", "install"]);
    chmodSync(hook, 0o644);
    const { hooks } = JSON.parse(await program.must(["hook", "status", "--json"]));
    expect(hooks[0]).toMatchObject({ event: "pre-commit", installed: false, how: "file" });
    expect((await program.run(["hook", "install"])).stderr).not.toContain("pre-commit hook is there already");
    const head = () => must(program, ["rev-parse", "HEAD"]);
    blocked(commit(program, "bad.txt", `key=${API_KEY}\n`), head, head());
    chmodSync(hook, 0o644);
    expect((await program.run(["hook", "uninstall"])).stderr).toContain("the pre-commit hook is gone");
    expect(existsSync(hook)).toBe(false);
  });

  it("goes on where one was killed when the hook before had both names", async () => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const hooks = join(program.repo, ".git/hooks");
    const log = writeHook(program, join(hooks, "pre-commit"));
    const before = contentsOf(hooks);
    linkSync(join(hooks, "pre-commit"), join(hooks, "pre-commit.before-vault-run"));
    await program.must(["hook", "install"]);
    const head = () => must(program, ["rev-parse", "HEAD"]);
    blocked(commit(program, "bad.txt", `key=${API_KEY}\n`), head, head());
    expect(readFileSync(log, "utf8")).toBe("hooks 0 \n");
    await program.must(["hook", "uninstall"]);
    expect(contentsOf(hooks)).toEqual(before);
  });

  it("looks through what a merge brings, and says what no hook before a commit sees", async () => {
    const program = template.copy();
    must(program, ["switch", "--quiet", "--create", "other"]);
    commit(program, "bad.txt", `key=${API_KEY}\n`);
    must(program, ["switch", "--quiet", "main"]);
    commit(program, "good.txt", "clean\n");
    const { stderr } = await program.run(["hook", "install"]);
    expect(stderr).toContain("cherry-pick, revert, rebase and am");
    const head = () => must(program, ["rev-parse", "HEAD"]);
    blocked(git(program, ["merge", "--no-edit", "other"]), head, head());
    must(program, ["merge", "--abort"]);
    must(program, ["switch", "--quiet", "--create", "sound", "main~1"]);
    await program.set("stripe/OTHER", `${API_KEY}-too`);
    must(program, ["switch", "--quiet", "main"]);
    expect(git(program, ["merge", "--no-edit", "sound"]).status).toBe(0);
    // They run neither: a push does.
    expect(git(program, ["cherry-pick", "other"]).status).toBe(0);
    const server = join(program.home, "server.git");
    must(program, ["init", "--quiet", "--bare", server], program.home);
    const all = ["--on", "pre-commit", "--on", "pre-push"];
    expect((await program.run(["hook", "install", ...all])).stderr).not.toContain("cherry-pick");
    blocked(git(program, ["push", server, "main"]), head, head());
    const { hooks } = JSON.parse(await program.must(["hook", "status", "--json"]));
    expect(
      hooks.map(({ event, installed }: { event: string; installed: boolean }) => [event, installed]),
    ).toEqual([
      ["pre-commit", true],
      ["pre-merge-commit", true],
      ["pre-push", true],
      ["pre-receive", false],
    ]);
  });

  it("sees what a hook that was there stages, and commits of chosen paths", async () => {
    const program = template.copy();
    const hook = join(program.repo, ".git/hooks/pre-commit");
    await program.must(["hook", "install"]);
    const head = () => must(program, ["rev-parse", "HEAD"]);
    // git makes an index of its own for such a commit.
    commit(program, "a.txt", "clean\n");
    writeFileSync(join(program.repo, "a.txt"), `key=${API_KEY}\n`);
    const start = head();
    blocked(git(program, ["commit", "--message", "only", "--only", "a.txt"]), head, start);
    blocked(git(program, ["commit", "--message", "all", "--all"]), head, start);
    must(program, ["checkout", "--quiet", "a.txt"]);
    await program.must(["hook", "uninstall"]);
    if (hasConfiguredHooks()) return;
    writeHook(
      program,
      hook,
      `printf '%s' '${Buffer.from(`key=${API_KEY}`).toString("base64")}' > made.txt && git add made.txt`,
    );
    await program.must(["hook", "install"]);
    blocked(commit(program, "b.txt", "clean\n"), head, start);
  });

  it("works in linked work trees and in submodules", async () => {
    const program = template.copy();
    await program.must(["hook", "install"]);
    const tree = join(program.home, "tree");
    must(program, ["worktree", "add", "--quiet", tree]);
    const head = () => must(program, ["rev-parse", "HEAD"], tree);
    const start = head();
    blocked(commit(program, "bad.txt", `key=${API_KEY}\n`, tree), head, start);
    const library = join(program.home, "library");
    must(program, ["init", "--quiet", library], program.home);
    must(program, ["commit", "--quiet", "--allow-empty", "--message", "start"], library);
    must(program, ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib"]);
    const lib = join(program.repo, "lib");
    await program.must(["hook", "install"], { cwd: lib });
    const outcome = commit(program, "key.txt", bech32Identity("age-secret-key-"), lib);
    expect([outcome.status, outcome.stdout + outcome.stderr]).toEqual([
      1,
      expect.stringContaining("age-identity"),
    ]);
    expect(existsSync(join(library, ".git/hooks/pre-commit"))).toBe(false);
  });

  it("lets vault-run's own commits through, and blocks what is not its own", async () => {
    const program = template.copy();
    await program.must(["hook", "install", "--on", "pre-commit", "--on", "pre-push"]);
    await program.must(["add-agent", "crawler"]);
    await program.must(["grant", "crawler", "stripe"]);
    await program.must(["revoke", "crawler", "stripe"]);
    await program.must(["add-owner", "bea", "--out", join(program.home, "bea.key")]);
    const key = join(program.home, ".config/vault-run", program.vaultId, "owner.key");
    await program.must(["rekey", "--owner", "--yes", "--out", join(program.home, "second.key")]);
    // The key that is named is no owner's any more once the change is made, and before it is committed.
    const env = { VAULT_RUN_OWNER_KEY_FILE: join(program.home, "second.key") };
    await program.must(["rekey", "--owner", "--yes", "--out", join(program.home, "third.key")], { env });
    expect(must(program, ["status", "--porcelain"])).toBe("");
    renameSync(join(program.home, "third.key"), key);
    const start = must(program, ["rev-parse", "HEAD"]);
    blocked(
      commit(program, "bad.txt", `key=${API_KEY}\n`),
      () => must(program, ["rev-parse", "HEAD"]),
      start,
    );
  });

  it("blocks a push and a push that comes in, whatever a hook that was there says", async () => {
    const program = template.copy();
    const server = join(program.home, "server.git");
    must(program, ["init", "--quiet", "--bare", server], program.home);
    must(program, ["remote", "add", "origin", server]);
    const log = writeHook(program, join(program.repo, ".git/hooks/pre-push"), 'cat >> "$0.told"');
    await program.must(["hook", "install", "--on", "pre-push"]);
    expect(git(program, ["push", "--quiet", "origin", "main"]).status).toBe(0);
    expect(readFileSync(log, "utf8")).toContain(`2 origin ${server}`);
    commit(program, "bad.txt", `key=${API_KEY}\n`);
    must(program, ["rm", "--quiet", "bad.txt"]);
    must(program, ["commit", "--quiet", "--message", "gone again"]);
    const there = () => must(program, ["rev-parse", "main"], server);
    const start = there();
    blocked(git(program, ["push", "origin", "main"]), there, start);
    blocked(git(program, ["push", "origin", "main:refs/heads/new"]), there, start);
    expect(git(program, ["push", "--quiet", "origin", "main~2:refs/heads/old"]).status).toBe(0);
    await program.must(["hook", "uninstall"]);
    // A server has no key: it knows keys and formats.
    await program.must(["hook", "install"], { cwd: server });
    commit(program, "key.txt", bech32Identity("age-secret-key-pq-"));
    const outcome = git(program, ["push", "origin", "main"]);
    expect([outcome.status, outcome.stderr]).toEqual([1, expect.stringContaining("age-identity")]);
    expect(there()).toBe(start);
    expect(git(program, ["push", "--quiet", "origin", ":refs/heads/old"]).status).toBe(0);
  });

  it("looks at a push whose source is told in words", async () => {
    const program = template.copy();
    const server = join(program.home, "server.git");
    must(program, ["init", "--quiet", "--bare", server], program.home);
    await program.must(["hook", "install", "--on", "pre-push"]);
    commit(program, "good.txt", "clean\n");
    expect(git(program, ["push", "--quiet", server, ":/add good:refs/heads/good"])).toMatchObject({
      status: 0,
    });
    commit(program, "bad.txt", `key=${API_KEY}\n`);
    const there = () => must(program, ["for-each-ref"], server);
    blocked(git(program, ["push", server, ":/add bad:refs/heads/bad"]), there, there());
  });

  it("looks at what only another remote has", async () => {
    const program = template.copy();
    const [secret, open] = [join(program.home, "secret.git"), join(program.home, "open.git")];
    for (const [name, folder] of [
      ["kept", secret],
      ["kept/open", open],
    ] as const) {
      must(program, ["init", "--quiet", "--bare", folder], program.home);
      must(program, ["config", `remote.${name}.url`, folder]);
      must(program, ["config", `remote.${name}.fetch`, `+refs/heads/*:refs/remotes/${name}/*`]);
    }
    commit(program, "bad.txt", `key=${API_KEY}\n`);
    must(program, ["push", "--quiet", "kept", "main"]);
    commit(program, "good.txt", "clean\n");
    await program.must(["hook", "install", "--on", "pre-push"]);
    for (const place of ["kept/open", open]) {
      const outcome = git(program, ["push", place, "main"]);
      expect([outcome.status, outcome.stdout + outcome.stderr]).toEqual([
        1,
        expect.stringContaining("the value of stripe/API_KEY"),
      ]);
    }
    expect(must(program, ["for-each-ref"], open)).toBe("");
    expect(git(program, ["push", "--quiet", "kept", "main:refs/heads/new"]).status).toBe(0);
  });

  it("looks at tags: their messages, and what they name that is no commit", async () => {
    const program = template.copy();
    const server = join(program.home, "server.git");
    must(program, ["init", "--quiet", "--bare", server], program.home);
    must(program, ["remote", "add", "origin", server]);
    must(program, ["push", "--quiet", "origin", "main"]);
    writeFileSync(join(program.home, "key"), bech32Identity("age-secret-key-"));
    const blob = must(program, ["hash-object", "-w", join(program.home, "key")]);
    const tree = execaSync("git", ["mktree"], {
      cwd: program.repo,
      input: `100644 blob ${blob}\tsub\n`,
    }).stdout;
    must(program, ["tag", "of-blob", blob]);
    must(program, ["tag", "of-tree", tree]);
    must(program, ["tag", "--annotate", "--message", "fine", "of-tag", tree]);
    must(program, ["tag", "--annotate", "--file", join(program.home, "key"), "spoken", "HEAD"]);
    must(program, ["tag", "--annotate", "--message", "fine", "twice", "spoken"]);
    must(program, ["tag", "--annotate", "--message", "fine", "clean", "HEAD"]);
    for (const [cwd, names] of [
      [program.repo, ["of-blob", "of-tree", "of-tag", "spoken", "twice"]],
      [server, ["of-blob", "of-tree", "of-tag", "spoken", "twice"]],
    ] as const) {
      await program.must(["hook", "uninstall"]);
      await program.must(["hook", "install", "--on", cwd === server ? "pre-receive" : "pre-push"], { cwd });
      for (const name of names) {
        const outcome = git(program, ["push", "origin", name]);
        expect([outcome.status, outcome.stdout + outcome.stderr], name).toEqual([
          1,
          expect.stringContaining("age-identity"),
        ]);
      }
    }
    expect(must(program, ["tag"], server)).toBe("");
    expect(git(program, ["push", "--quiet", "origin", "clean"]).status).toBe(0);
    const { findings } = JSON.parse((await program.run(["scan", "--history", "--json"])).stdout);
    expect(findings.map(({ file }: { file: string }) => file).sort()).toEqual([
      "(tag)",
      "(tagged file)",
      "sub",
    ]);
  });

  it("blocks where the program is not to be found", async () => {
    const program = template.copy();
    await program.must(["hook", "install"]);
    writeFileSync(join(program.repo, "a.txt"), "clean\n");
    must(program, ["add", "a.txt"]);
    const PATH = program.env.PATH?.split(delimiter).slice(1).join(delimiter) ?? "";
    const env = { ...program.env, PATH };
    const done = execaSync("git", ["commit", "--message", "x"], {
      cwd: program.repo,
      env,
      extendEnv: false,
      reject: false,
    });
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toMatch(/vault-run.*not/);
  });
});

describe("a hook of another hand", () => {
  it.each([
    ["husky", ".husky/pre-commit", ["core.hooksPath", ".husky/_"]],
    ["lefthook", "lefthook.yml", undefined],
    ["pre-commit", ".pre-commit-config.yaml", undefined],
  ] as const)("that %s rules is shown what to add, and nothing is written", async (name, file, config) => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    if (config !== undefined) must(program, ["config", ...config]);
    mkdirSync(join(program.repo, file, ".."), { recursive: true });
    writeFileSync(join(program.repo, file), "# mine\n");
    const before = program.snapshot();
    const outcome = await program.run(["hook", "install"]);
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain(`${name} rules the hooks`);
    expect(program.snapshot()).toBe(before);
    const folder = must(program, ["rev-parse", "--git-path", "hooks"]);
    for (const [at, event] of (["pre-commit", "pre-merge-commit"] as const).entries()) {
      const { stdout } = await program.run(["hook", "install", "--on", event]);
      expect(stdout).toContain("vault-run scan --staged");
      appendFileSync(join(program.repo, name === "husky" ? `.husky/${event}` : file), stdout);
      // What is in a tracked file runs nothing by itself.
      const told = await program.run(["hook", "install", "--on", event]);
      expect([told.status, told.stdout, told.stderr]).toEqual([
        1,
        "",
        expect.stringContaining("git does not run"),
      ]);
      const installed = async () => JSON.parse(await program.must(["hook", "status", "--json"])).hooks[at];
      expect(await installed()).toMatchObject({ how: name, installed: false });
      writeHook(program, join(program.repo, folder, event), `# ${name} (pre-commit.com)`);
      expect(await installed()).toMatchObject({ event, how: name, installed: true });
    }
    expect((await program.run(["hook", "install"])).status).toBe(0);
  });

  it("that was put over vault-run's is not lost, and one that was changed is left alone", async () => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const hook = join(program.repo, ".git/hooks/pre-commit");
    writeHook(program, hook);
    await program.must(["hook", "install"]);
    cpSync(hook, `${hook}.copy`);
    writeFileSync(hook, `${readFileSync(hook, "utf8")}echo mine\n`);
    const mine = readFileSync(hook);
    for (const action of ["install", "uninstall"]) {
      const { status, stderr } = await program.run(["hook", action]);
      expect([status, stderr]).toEqual([1, expect.stringContaining("was changed since")]);
      expect(readFileSync(hook)).toEqual(mine);
    }
    writeHook(program, hook, "echo third");
    const third = readFileSync(hook);
    expect((await program.run(["hook", "install"])).status).toBe(1);
    expect(readFileSync(hook)).toEqual(third);
    await program.must(["hook", "uninstall"]);
    expect(readFileSync(hook)).toEqual(third);
  });

  it.each([
    ["sh", "/bin/sh -e", 'sh "$(dirname "$0")/tool"'],
    ["bash, by a link to a dispatcher", "/usr/bin/env bash", '[[ -L "$0" ]] || true'],
  ])("that goes by its own path runs by it still: %s", async (kind, shell, line) => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const [hooks, log] = [join(program.repo, ".git/hooks"), join(program.home, "hook.log")];
    const hook = join(hooks, "pre-commit");
    mkdirSync(`${hook}.d`, { recursive: true });
    writeFileSync(join(hooks, "tool"), "true\n");
    const text = `#!${shell}\n${line}\ncase $(basename "$0") in pre-commit) ;; *) exit 3 ;; esac
for part in "$0".d/*; do "$part" "$0" || exit; done\nexit 0\n`;
    writeFileSync(join(hooks, "dispatch"), text, { mode: 0o755 });
    if (kind === "sh") cpSync(join(hooks, "dispatch"), hook);
    else symlinkSync("dispatch", hook);
    writeFileSync(join(`${hook}.d`, "one"), `#!/bin/sh\necho "$1" >> '${log}'\n`, { mode: 0o755 });
    const before = contentsOf(hooks);
    // As it was installed before: run by itself, from its new place.
    await program.must(["hook", "install", "--on", "pre-commit"]);
    const now = readFileSync(hook, "utf8");
    const first = now.replace(/\S+( bash| -e) -c '.*' "\$0" "\$@"/, '"$before" "$@"');
    expect(first).not.toBe(now);
    writeFileSync(hook, first);
    expect(commit(program, "a.txt", "clean\n").status).toBe(1);
    expect(existsSync(log)).toBe(false);
    expect(JSON.parse(await program.must(["hook", "status", "--json"])).hooks[0].installed).toBe(false);
    await program.must(["hook", "install", "--on", "pre-commit"]);
    expect(readFileSync(hook, "utf8")).toBe(now);
    expect(commit(program, "a.txt", "clean\n").status).toBe(0);
    expect(readFileSync(log, "utf8")).toBe(".git/hooks/pre-commit\n");
    const head = () => must(program, ["rev-parse", "HEAD"]);
    blocked(commit(program, "bad.txt", `key=${API_KEY}\n`), head, head());
    await program.must(["hook", "uninstall"]);
    expect(contentsOf(hooks)).toEqual(before);
  });

  it("that goes by its own path in another language is left where it is, with what to add", async () => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const hook = join(program.repo, ".git/hooks/pre-commit");
    const lines = ["#!/usr/bin/perl", "exit 3 unless $0 =~ m{/pre-commit$};"];
    mkdirSync(join(hook, ".."), { recursive: true });
    writeFileSync(hook, `${lines.join("\n")}\n`, { mode: 0o755 });
    const { status, stdout, stderr } = await program.run(["hook", "install", "--on", "pre-commit"]);
    expect([status, stdout, stderr]).toEqual([
      1,
      "vault-run scan --staged\n",
      expect.stringContaining("goes by its own path"),
    ]);
    expect(readFileSync(hook, "utf8")).toBe(`${lines.join("\n")}\n`);
    writeFileSync(hook, `${[...lines, 'exit(system("vault-run scan --staged") >> 8);'].join("\n")}\n`);
    await program.must(["hook", "install", "--on", "pre-commit"]);
    const head = () => must(program, ["rev-parse", "HEAD"]);
    blocked(commit(program, "bad.txt", `key=${API_KEY}\n`), head, head());
    const removed = await program.run(["hook", "uninstall"]);
    expect([removed.status, removed.stderr]).toEqual([1, expect.stringContaining("out of it yourself")]);
  });

  it("is none of vault-run's for speaking of it", async () => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const hook = join(program.repo, ".git/hooks/pre-commit");
    const log = writeHook(program, hook, "# vault-run hook install adds to this");
    const before = readFileSync(hook);
    await program.must(["hook", "install"]);
    expect(commit(program, "a.txt", "clean\n").status).toBe(0);
    expect(readFileSync(log, "utf8")).toContain("hooks 0");
    await program.must(["hook", "uninstall"]);
    expect(readFileSync(hook)).toEqual(before);
  });

  it("in a folder for all repositories is touched only when that is confirmed", async () => {
    if (hasConfiguredHooks()) return;
    const program = template.copy();
    const shared = join(program.home, "hooks");
    must(program, ["config", "--global", "core.hooksPath", shared]);
    expect((await program.run(["hook", "install"])).status).toBe(1);
    expect(existsSync(shared)).toBe(false);
    await program.must(["hook", "install", "--yes"]);
    expect(readdirSync(shared)).toEqual(["pre-commit", "pre-merge-commit"]);
  });
});

describe("init", () => {
  it("offers the hook to a person, and tells everyone else how", async () => {
    const program = Program.empty();
    const { shown, status } = await onTerminal(
      program,
      ["vault-run", "init", "--classic"],
      [["[y/N]", "y\n"]],
    );
    expect([status, shown]).toEqual([
      0,
      expect.stringMatching(/every git commit is.*every git merge is looked through/s),
    ]);
    const other = Program.empty();
    expect((await other.run(["init", "--classic"])).stderr).toContain("vault-run hook install");
    expect(JSON.parse(await other.must(["hook", "status", "--json"])).hooks[0].installed).toBe(false);
  });

  it.each([
    ["hooks are turned off", "core.hooksPath", "/dev/null"],
    ["no hooks folder can be made", "core.hooksPath", "/proc/hooks"],
  ])("makes the vault where %s", async (_, key, value) => {
    if (hasConfiguredHooks()) return;
    const program = Program.empty();
    must(program, ["config", key, value]);
    const steps: Step[] = value === "/dev/null" ? [] : [["[y/N]", "y\n"]];
    const { shown, status } = await onTerminal(program, ["vault-run", "init", "--classic"], steps);
    expect([status, shown]).toEqual([0, expect.stringContaining("made vault")]);
    expect(shown).not.toContain("defect");
    expect(shown).not.toContain("from now on");
    await program.must(["list"]);
  });

  it("leaves the file of a manager that git does not run yet", async () => {
    if (hasConfiguredHooks()) return;
    const program = Program.empty();
    must(program, ["config", "core.hooksPath", ".husky/_"]);
    mkdirSync(join(program.repo, ".husky"));
    for (const event of ["pre-commit", "pre-merge-commit"])
      writeFileSync(join(program.repo, ".husky", event), "vault-run scan --staged\n");
    const before = contentsOf(join(program.repo, ".husky"));
    const { shown, status } = await onTerminal(
      program,
      ["vault-run", "init", "--classic"],
      [["[y/N]", "y\n"]],
    );
    expect([status, shown]).toEqual([0, expect.not.stringContaining("[y/N]")]);
    expect(contentsOf(join(program.repo, ".husky"))).toEqual(before);
  });

  it("stands where the question about the hook is left unanswered", async () => {
    const program = Program.empty();
    const { shown, status } = await onTerminal(
      program,
      ["vault-run", "init", "--classic"],
      [["[y/N]", "\x04"]],
    );
    expect([status, shown]).toEqual([0, expect.stringContaining("made vault")]);
  });
});

/** The environment in which git knows what 2.25 knew: `rev-parse` prints an option that it does not know. */
function oldGit(program: Program): { PATH: string } {
  const bin = join(program.home, "old-git");
  mkdirSync(bin);
  const script = `#!/bin/sh
case " $* " in
*" --show-scope "*) echo "error: unknown option show-scope" >&2; exit 129 ;;
*" version "*) echo "git version 2.25.0"; exit 0 ;;
esac
for arg; do
  shift
  case $arg in
  --path-format=*) echo "$arg" ;;
  *) set -- "$@" "$arg" ;;
  esac
done
exec /usr/bin/git "$@"
`;
  writeFileSync(join(bin, "git"), script, { mode: 0o755 });
  return { PATH: `${bin}${delimiter}${program.env.PATH}` };
}

function hasConfiguredHooks(): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(execaSync("git", ["version"]).stdout) ?? [];
  return Number(major) > 2 || Number(minor) >= 54;
}

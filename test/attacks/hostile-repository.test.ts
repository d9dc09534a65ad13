import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { crawlerTemplate } from "../fixtures/crawler.ts";
import type { Program } from "../fixtures/program.ts";

// A12: a repository that wants a program of its own to run when vault-run is used in it.

const template = await crawlerTemplate();
let program: Program;
let ran: string;
let trap: string;
beforeEach(() => {
  program = template.copy();
  ran = join(program.home, "ran");
  trap = join(program.home, "trap.sh");
  writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> '${ran}'\nexit 1\n`);
  chmodSync(trap, 0o755);
});

const agentKey = () => join(program.home, ".config/vault-run", program.vaultId, "agents/crawler.key");

const READING = [
  ["status"],
  ["check"],
  ["check", "--base", "HEAD"],
  ["agents"],
  ["list"],
  ["owners"],
  ["rotation"],
  ["history", "stripe/API_KEY"],
  ["audit"],
  ["report", "--html", "-"],
  ["scan", "--staged"],
  ["scan", "--history"],
  ["hook", "status"],
  ["get", "stripe/API_KEY"],
  ["--agent", "crawler", "--", "true"],
];

describe("a repository that wants to run a program (A12)", () => {
  it("has none run by what only reads: no monitor, hook, pager, signature check, diff or alias of its settings", async () => {
    writeFileSync(join(program.repo, "plain.txt"), "text\n");
    program.git("add", "plain.txt");
    for (const name of ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass"])
      program.git("config", name, trap);
    for (const name of ["gpg.program", "diff.external", "diff.x.textconv", "core.alternateRefsCommand"])
      program.git("config", name, trap);
    program.git("config", "log.showSignature", "true");
    program.git("config", "alias.status", `!${trap}`);
    const hooks = join(program.repo, ".git/hooks");
    for (const name of ["post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"])
      cpSync(trap, join(hooks, name));
    writeFileSync(join(program.repo, ".git/info/attributes"), "* diff=x\n");
    for (const args of READING) {
      await program.run(args);
      expect(existsSync(ran), args.join(" ")).toBe(false);
    }
  });

  it("is not taken for one where it is a folder that was committed with settings of its own", async () => {
    const planted = join(program.repo, "docs");
    for (const name of ["objects", "refs"]) mkdirSync(join(planted, name), { recursive: true });
    writeFileSync(join(planted, "HEAD"), "ref: refs/heads/main\n");
    writeFileSync(
      join(planted, "config"),
      `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = ${trap}\n\thooksPath = hooks\n`,
    );
    mkdirSync(join(planted, "hooks"));
    for (const name of ["pre-commit", "post-commit", "reference-transaction", "post-index-change"])
      cpSync(trap, join(planted, "hooks", name));
    cpSync(join(program.repo, ".vault"), join(planted, ".vault"), { recursive: true });
    for (const args of [...READING, ["add-agent", "other"], ["sync"], ["audit", "push"]]) {
      await program.run(args, { cwd: planted });
      expect(existsSync(ran), args.join(" ")).toBe(false);
    }
    // It is a folder like any other of the repository around it.
    const { status, stderr } = await program.run(["set", "stripe/OTHER"], {
      cwd: planted,
      input: "another-value",
    });
    expect(status, stderr).toBe(0);
    expect(existsSync(ran)).toBe(false);
    expect(program.git("show", "--format=", "--name-only", "HEAD")).toContain(
      "docs/.vault/groups/stripe/secrets/OTHER.json",
    );
  });

  it("has none run from the vault's own folder, made to look like a repository that lacks objects", async () => {
    const owner = /# owner: (.*)/.exec(readFileSync(agentKey(), "utf8"))?.[1] ?? "";
    const planted = join(program.repo, ".vault");
    for (const name of ["objects/aa", "refs/heads"]) mkdirSync(join(planted, name), { recursive: true });
    writeFileSync(join(planted, "objects/aa/keep"), "");
    writeFileSync(join(planted, "HEAD"), "ref: refs/heads/evil\n");
    writeFileSync(join(planted, "refs/heads/evil"), `${"1".repeat(40)}\n`);
    writeFileSync(
      join(planted, "config"),
      [
        `[core]\n\trepositoryformatversion = 1\n\tworktree = .\n\tfsmonitor = ${trap}`,
        "[extensions]\n\tpartialClone = x",
        `[remote "x"]\n\turl = /\n\tpromisor = true\n\tuploadpack = ${trap}\n`,
      ].join("\n"),
    );
    // The value of before, put back, has the owner's branches looked at.
    program.git("branch", "other");
    const old = program.git("rev-parse", "HEAD");
    await program.must(["set", "stripe/API_KEY"], { input: "a-newer-value" });
    program.git("checkout", "--quiet", old, "--", ".vault/groups/stripe/secrets/API_KEY.json");
    program.git("add", "--force", "--all");
    program.git("commit", "--quiet", "--message", "planted");
    const verbs = [
      ...READING,
      ["check", "--base", "HEAD~1"],
      ["add-agent", "other"],
      ["sync"],
      ["audit", "push"],
    ];
    for (const args of verbs) {
      await program.run(args);
      expect(existsSync(ran), args.join(" ")).toBe(false);
      await program.run(args, {
        env: { VAULT_RUN_OWNER: owner, XDG_STATE_HOME: join(program.home, "fresh") },
      });
      expect(existsSync(ran), `${args.join(" ")}, without pins`).toBe(false);
    }
  });

  it.each([
    (mark: string) => `ext::sh -c touch% ${mark}`,
    (mark: string) => `--upload-pack=touch ${mark}`,
    (mark: string) => `ssh://-oProxyCommand=touch%20${mark}/x`,
  ])("has no command in a remote's address run (%#)", async (address) => {
    program.git("config", "remote.origin.url", address(ran));
    program.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
    for (const args of [["sync"], ["audit", "push"], ["audit", "fetch"]]) {
      const { status } = await program.run(args);
      expect(status, args.join(" ")).toBe(1);
      expect(existsSync(ran), args.join(" ")).toBe(false);
    }
  });

  it.each([
    ["check", "--base", "--output=TARGET"],
    ["check", "--base=--output=TARGET"],
    ["scan", "--range", "--output=TARGET..HEAD"],
    ["scan", "--range=--output=TARGET"],
    ["audit", "push", "--remote=--exec=touch TARGET"],
    ["audit", "fetch", "--remote=--upload-pack=touch TARGET"],
  ])("has no revision and no remote taken for an option: %s %s %s", async (...args) => {
    const { status, stderr } = await program.run(args.map((arg) => arg.replace("TARGET", ran)));
    expect(status, stderr).not.toBe(0);
    expect(stderr).toMatch(/^vault-run: /m);
    expect(existsSync(ran)).toBe(false);
  });
});

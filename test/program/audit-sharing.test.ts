import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import { serveGit } from "../fixtures/http-git.ts";
import type { Outcome, Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git, gitInit } from "../fixtures/vault.ts";

const template = await crawlerTemplate();
const WRITERS = "refs/vault-run/audit/";

function bare(): string {
  const folder = tempFolder();
  git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "shared.git");
  return join(folder, "shared.git");
}

/** Runs the program on a machine of another name. */
function on(host: string, program: Program, args: readonly string[], before = ":"): Promise<Outcome> {
  const script = `printf %s "$0" > /proc/sys/kernel/hostname && ${before} && exec vault-run "$@"`;
  return program.runAs(["unshare", "--uts", "--mount", "sh", "-c", script, host], args);
}

function hosts(url: string, ...names: string[]): { name: string; program: Program }[] {
  return names.map((name) => {
    const program = template.copy();
    program.git("remote", "add", "origin", url);
    return { name, program };
  });
}

const lines = (program: Program, host: string) =>
  readFileSync(program.auditLog, "utf8")
    .split("\n")
    .filter((line) => line.includes(`"host":"${host}"`));

describe("audit push and audit fetch", () => {
  it.each<[string, (folder: string) => Promise<string> | string, (program: Program) => void]>([
    ["files", (folder) => folder, () => {}],
    ["http", async (folder) => `${await serveGit(join(folder, ".."))}/shared.git`, () => {}],
    [
      "ssh",
      (folder) => `ssh://git.example.org${folder}`,
      (program) => {
        // What ssh does with its arguments on the other side, without the way there.
        const ssh = join(program.home, "ssh");
        writeFileSync(
          ssh,
          '#!/bin/sh\nwhile [ "$1" != git.example.org ]; do shift; done\nshift\nexec sh -c "$*"\n',
        );
        chmodSync(ssh, 0o755);
        program.git("config", "core.sshCommand", ssh);
        program.git("config", "ssh.variant", "ssh");
      },
    ],
  ])("bring the logs of three hosts to the owner, by %s", async (_, url, prepare) => {
    const remote = bare();
    const all = hosts(await url(remote), "web-1", "web-2", "laptop");
    for (const { name, program } of all) {
      prepare(program);
      if (name === "laptop") continue;
      for (let i = 0; i < 2; i++)
        expect((await on(name, program, ["--agent", "crawler", "--", "true"])).status).toBe(0);
      rmSync(join(program.home, ".config/vault-run", program.vaultId, "owner.key"));
      const pushed = await on(name, program, ["audit", "push", "--agent", "crawler"]);
      expect(pushed.stderr).toContain(`vault-run: origin has 2 lines more of crawler on ${name}\n`);
      expect(pushed.status).toBe(0);
      const again = await on(name, program, ["audit", "push"]);
      expect(again.stderr).toBe("vault-run: nothing new for origin\n");
      expect(again.status).toBe(0);
      expect((await on(name, program, ["audit", "push", "--quiet"])).stderr).toBe("");
    }
    const owner = all[2]!.program;
    const fetched = await owner.run(["audit", "fetch"]);
    for (const name of ["web-1", "web-2"])
      expect(fetched.stderr).toContain(`vault-run: 2 lines came of crawler on ${name}\n`);
    expect(fetched.status).toBe(0);
    expect((await owner.run(["audit", "fetch"])).stderr).toMatch(
      /^vault-run: nothing new at origin; 3 logs here\n$/,
    );
    for (const { name, program } of all.slice(0, 2)) {
      const ref = owner
        .git("for-each-ref", "--format=%(refname)", WRITERS)
        .split("\n")
        .find((each) => each.endsWith(name));
      expect(owner.git("cat-file", "blob", `${ref}:000000.jsonl`)).toBe(lines(program, name).join("\n"));
    }
    expect(git(remote, "log", "--all", "--patch")).not.toContain(VALUE);
  });

  it("pushes from a work tree and a repository that are read-only, and writes nothing there", async () => {
    const remote = bare();
    const [host] = hosts(remote, "web-1");
    const { program } = host!;
    const before = files(program.repo);
    const readOnly = `mount --bind ${program.repo} ${program.repo} && mount -o remount,ro,bind ${program.repo} && cd ${program.repo}`;
    for (let i = 1; i <= 2; i++) {
      expect(
        (await on("web-1", program, ["get", "stripe/API_KEY", "--agent", "crawler"], readOnly)).stdout,
      ).toBe(VALUE);
      const pushed = await on("web-1", program, ["audit", "push"], readOnly);
      expect(pushed.stderr).toContain("vault-run: origin has 1 line more of crawler on web-1\n");
      expect(pushed.status).toBe(0);
    }
    const refused = await on("web-1", program, ["audit", "fetch"], readOnly);
    expect(refused.stderr).toContain("this repository cannot be written to");
    expect(refused.status).toBe(1);
    expect(files(program.repo)).toEqual(before);
    expect(readdirSync("/tmp").filter((name) => name.startsWith("vault-run-sharing-"))).toEqual([]);
    writeFileSync(program.auditLog, "");
    const gone = await on("web-1", program, ["audit", "push"], readOnly);
    expect(gone.stderr).toBe("vault-run: nothing new for origin\n");
    await on("web-1", program, ["get", "stripe/API_KEY", "--agent", "crawler"], readOnly);
    const unsure = await on("web-1", program, ["audit", "push"], readOnly);
    expect(unsure.stderr).toContain("the log here lacks what origin has of crawler on web-1");
    expect(unsure.status).toBe(1);
  });

  it("go by the vault's own repository in a hook of another one, for which git names that", async () => {
    const [own, others, other] = [bare(), bare(), tempFolder()];
    const program = template.copy();
    program.git("remote", "add", "origin", own);
    gitInit(other);
    git(other, "commit", "--quiet", "--allow-empty", "--message", "first");
    git(other, "remote", "add", "origin", others);
    const env = { GIT_DIR: join(other, ".git"), GIT_INDEX_FILE: join(other, ".git/index") };
    await program.must(["audit", "push"], { env });
    expect(git(others, "for-each-ref")).toBe("");
    expect(git(own, "for-each-ref", WRITERS).split("\n")).toHaveLength(1);
    expect(await program.must(["audit", "fetch"], { env })).toBe("");
    expect(git(other, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
  });

  it("survive a kill at any moment of a push: nothing is lost or there twice, and the next one goes on", async () => {
    const remote = bare();
    const [host] = hosts(remote, "web-1");
    const { program } = host!;
    const started = Date.now();
    await program.must(["audit", "push"]);
    const wholeMs = Date.now() - started;
    for (let i = 0; i < 8; i++) {
      await program.must(["get", "stripe/API_KEY", "--agent", "crawler"]);
      const push = program.start(["audit", "push"]);
      await new Promise((resolve) => setTimeout(resolve, (wholeMs * (i + 1)) / 8));
      push.kill("SIGKILL");
      await push;
    }
    const last = await program.run(["audit", "push"]);
    expect(last.stderr).not.toContain("gone");
    expect(last.status).toBe(0);
    expect((await program.run(["audit", "push"])).stderr).toBe("vault-run: nothing new for origin\n");
    const refs = git(remote, "for-each-ref", "--format=%(refname)", WRITERS).split("\n");
    const pushed = refs.flatMap((ref) => git(remote, "cat-file", "blob", `${ref}:000000.jsonl`).split("\n"));
    const log = readFileSync(program.auditLog, "utf8").trimEnd().split("\n");
    expect(pushed.sort()).toEqual(log.sort());
    expect(readdirSync(join(program.repo, ".git/vault-run"))).toEqual([]);
  });

  it("take turns in one clone", async () => {
    const [host, owner] = hosts(bare(), "web-1", "laptop");
    const all = await Promise.all(
      ["push", "push", "fetch", "push", "fetch"].map((verb) => host!.program.run(["audit", verb])),
    );
    expect(all.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0]);
    expect((await owner!.program.run(["audit", "fetch"])).stderr).toContain("lines came of owner");
  });

  it("say in words and by exit status what a rewritten log is", async () => {
    const remote = bare();
    const [host, laptop] = hosts(remote, "web-1", "laptop");
    const { program } = host!;
    const launch = () => on("web-1", program, ["--agent", "crawler", "--", "true"]);
    await launch();
    await launch();
    await on("web-1", program, ["audit", "push"]);
    await laptop!.program.must(["audit", "fetch"]);
    const log = readFileSync(program.auditLog, "utf8");
    writeFileSync(program.auditLog, log.replace(/[^\n]+\n$/, ""));
    await launch();
    const push = await on("web-1", program, ["audit", "push"]);
    expect(push.stderr).toMatch(
      /^vault-run: the log here is not what was pushed of crawler on web-1: 1 line, of \S+ \S+ UTC, is gone\n {2}nothing more of it is pushed; /,
    );
    expect(push.status).toBe(1);
    expect((await on("web-1", program, ["audit", "push", "--quiet"])).stderr).toBe(push.stderr);
    for (const ref of git(remote, "for-each-ref", "--format=%(refname)", WRITERS).split("\n"))
      if (ref.endsWith("web-1")) git(remote, "update-ref", "-d", ref);
    const fetch = await laptop!.program.run(["audit", "fetch"]);
    expect(fetch.stderr).toContain(
      "the log of crawler on web-1 was cut off at origin: 2 lines, the first of",
    );
    expect(fetch.status).toBe(1);
  });

  it("say what to type where words are wrong", async () => {
    const program = template.copy();
    const mistyped = await program.run(["audit", "psuh"]);
    expect(mistyped.stderr).toBe("vault-run: no such verb: audit psuh\n  did you mean audit push?\n");
    expect(mistyped.status).toBe(2);
    const alone = await program.run(["audit", "push"]);
    expect(alone.stderr).toBe(
      "vault-run: this repository has no remote\n  make one: git remote add origin URL\n",
    );
    program.git("remote", "add", "origin", bare());
    const nowhere = await program.run(["audit", "fetch", "--remote", "--upload-pack=x"]);
    expect(nowhere.status).toBe(2);
    const unknown = await program.run(["audit", "fetch", "--remote=--upload-pack=x"]);
    expect(unknown.stderr).toContain("no remote of this name");
    expect((await program.run(["audit", "fetch"])).stderr).toBe(
      "vault-run: nobody pushed a log to origin yet\n",
    );
  });
});

/** Every file below a folder with its content. */
function files(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true });
  return new Map(
    names
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path, readFileSync(path, "latin1")];
      }),
  );
}

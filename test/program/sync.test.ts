import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { serveGit } from "../fixtures/http-git.ts";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git } from "../fixtures/vault.ts";

const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  for (const agent of ["crawler", "stays"]) await made.must(["add-agent", agent]);
  for (const name of ["ONE", "TWO"]) await made.set(`web/${name}`, `value-of-${name}`);
  for (const agent of ["crawler", "stays"]) await made.must(["grant", agent, "web"]);
});

interface Place {
  readonly bare: string;
  readonly a: Program;
  readonly b: Program;
}

/** One owner on two machines, each with its own clone, pins and keys, and a bare repository between them. */
function place(url?: (folder: string) => string): Place {
  const folder = tempFolder();
  const bare = join(folder, "shared.git");
  git(folder, "init", "--quiet", "--bare", "--initial-branch=main", bare);
  const [a, b] = [template.copy(), template.copy()];
  for (const clone of [a, b]) clone.git("remote", "add", "origin", url?.(folder) ?? bare);
  a.git("push", "--quiet", "--set-upstream", "origin", "main");
  b.git("fetch", "--quiet");
  b.git("branch", "--quiet", "--set-upstream-to=origin/main");
  return { bare, a, b };
}

/** What someone does who can push and holds no key of the owner. */
function pushAs(bare: string, change: (folder: string) => void): void {
  const folder = tempFolder();
  git(folder, "clone", "--quiet", bare, ".");
  git(folder, "config", "user.name", "Someone");
  git(folder, "config", "user.email", "someone@example.org");
  change(folder);
  git(folder, "add", "--all");
  git(folder, "commit", "--quiet", "--message", "looks harmless");
  git(folder, "push", "--quiet", "origin", "HEAD");
}

const SECRET = ".vault/groups/web/secrets/ONE.json";

describe("sync", () => {
  it("brings two clones in step: forward where there is nothing of our own, otherwise our commits on top", async () => {
    const { a, b } = place();
    await a.set("web/THREE", "three");
    expect((await a.run(["sync"])).stderr).toContain("main is in step with origin: 0 commits came, 1 went");
    await b.set("db/ONE", "db-one");
    b.git("commit", "--quiet", "--allow-empty", "--message", "work besides");
    expect((await b.run(["sync"])).stderr).toContain("1 commit came, 2 went");
    expect(b.git("log", "--merges", "--oneline")).toBe("");
    expect((await a.run(["sync"])).stderr).toContain("2 commits came, 0 went");
    expect((await a.run(["sync"])).stderr).toContain("nothing new on either side");
    for (const clone of [a, b]) {
      expect(await clone.must(["get", "web/THREE"])).toBe("three");
      expect(await clone.must(["get", "db/ONE"])).toBe("db-one");
      await clone.must(["check"]);
    }
    expect(a.git("rev-parse", "HEAD")).toBe(b.git("rev-parse", "origin/main"));
  });

  it.each(["GIT_SSH_COMMAND", "GIT_SSH"])("reaches the other side as git does: by %s", async (variable) => {
    const { a, b } = place();
    const ssh = join(tempFolder(), "ssh");
    writeFileSync(ssh, '#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n', { mode: 0o755 });
    const url = `ssh://other.invalid${a.git("remote", "get-url", "origin").trim()}`;
    for (const clone of [a, b]) clone.git("remote", "set-url", "origin", url);
    const env = { [variable]: ssh };
    await a.set("web/THREE", "three");
    expect((await a.run(["sync"], { env })).stderr).toContain("0 commits came, 1 went");
    expect((await b.run(["sync"], { env })).stderr).toContain("1 commit came, 0 went");
    expect(await b.must(["get", "web/THREE"])).toBe("three");
  });

  it.each(["GIT_ASKPASS", "SSH_ASKPASS"])("asks for a password as git does: by %s", async (variable) => {
    const folder = tempFolder();
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "shared.git");
    const asks = join(folder, "asks");
    writeFileSync(asks, "#!/bin/sh\necho a-password\n", { mode: 0o755 });
    const program = template.copy();
    program.git("remote", "add", "origin", `${await serveGit(folder, "a-password")}/shared.git`);
    const { status, stderr } = await program.run(["sync"], { env: { [variable]: asks } });
    expect(stderr).not.toContain("a-password");
    expect(status).toBe(0);
    expect(git(join(folder, "shared.git"), "rev-parse", "main")).toBe(program.git("rev-parse", "HEAD"));
  });

  it("resolves what both sides changed, and what is wrong in meaning; no value shows (promise 10)", async () => {
    const { a, b } = place();
    await a.must(["revoke", "crawler", "web"]);
    await a.set("web/ONE", "set by a");
    await a.must(["sync"]);
    await b.set("web/THREE", "under the old key");
    await b.set("web/ONE", "set by b, later");
    const { status, stderr, stdout } = await b.run(["sync"]);
    expect(stderr).toContain("web/ONE was set on both sides");
    expect(status).toBe(0);
    const kept = [
      stdout,
      stderr,
      readFileSync(b.auditLog, "utf8"),
      b.git("log", "-p", "--all"),
      b.snapshot(),
    ];
    for (const value of ["set by a", "set by b, later", "under the old key"])
      expect(kept.join("\n")).not.toContain(value);
    await a.must(["sync"]);
    for (const clone of [a, b]) {
      expect(await clone.must(["get", "web/ONE"])).toBe("set by b, later");
      expect(await clone.must(["get", "web/THREE", "--agent", "stays"])).toBe("under the old key");
      expect((await clone.run(["get", "web/THREE", "--agent", "crawler"])).status).toBe(1);
      const { rotate } = JSON.parse((await clone.run(["rotation", "--json"])).stdout);
      expect(rotate.map(({ name }: { name: string }) => name).sort()).toEqual(["ONE", "THREE", "TWO"]);
    }
  });

  it.each<[string, string, (folder: string) => void]>([
    [
      "was changed without a signature",
      "no owner of this vault signed",
      (folder) => {
        const file = join(folder, SECRET);
        writeFileSync(file, readFileSync(file, "utf8").replace('"env"', '"file"'));
      },
    ],
    [
      "put an older record back",
      "older record",
      (folder) => git(folder, "checkout", "--quiet", "HEAD~1", "--", SECRET),
    ],
    ["left a record out", "gone without a tombstone", (folder) => rmSync(join(folder, SECRET))],
    ["left the vault out", "no vault here", (folder) => rmSync(join(folder, ".vault"), { recursive: true })],
  ])("refuses what %s, and leaves the clone as it was (A3, A5)", async (_, says, change) => {
    const { bare, a, b } = place();
    await a.set("web/ONE", "second");
    await a.must(["sync"]);
    await b.must(["sync"]);
    await b.set("db/ONE", "not pushed yet");
    writeFileSync(join(b.repo, "staged.txt"), "staged\n");
    b.git("add", "staged.txt");
    pushAs(bare, change);
    const before = b.snapshot();
    const { status, stderr } = await b.run(["sync"]);
    expect(stderr).toContain("what came is refused");
    expect(stderr).toContain(says);
    expect(status).toBe(1);
    expect(b.snapshot()).toBe(before);
  });

  it("tries again where something else is pushed meanwhile, and says what a remote refuses", async () => {
    const { bare, a, b } = place();
    await a.set("web/A", "value-a");
    await a.must(["sync"]);
    git(bare, "update-ref", "refs/heads/waiting", "main");
    git(bare, "update-ref", "refs/heads/main", "main~1");
    await b.set("web/B", "value-b");
    mkdirSync(join(bare, "hooks"), { recursive: true });
    const hook = join(bare, "hooks/pre-receive");
    writeFileSync(
      hook,
      "#!/bin/sh\nunset GIT_QUARANTINE_PATH\n[ -e waited ] || { touch waited; git update-ref refs/heads/main refs/heads/waiting; }\n",
    );
    chmodSync(hook, 0o755);
    const again = await b.run(["sync"]);
    expect(again.stderr).toContain("something else was pushed meanwhile");
    expect(again.status).toBe(0);
    expect(await b.must(["get", "web/A"])).toBe("value-a");
    writeFileSync(hook, "#!/bin/sh\necho not today >&2\nexit 1\n");
    await b.set("web/C", "value-c");
    const refused = await b.run(["sync"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("not today");
  });

  it("works over http, and on an agent's machine with the agent's key alone", async () => {
    const folder = tempFolder();
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "shared.git");
    const url = `${await serveGit(folder)}/shared.git`;
    const [a, host] = [template.copy(), template.copy()];
    a.git("remote", "add", "origin", url);
    await a.must(["sync"]);
    host.git("remote", "add", "origin", url);
    rmSync(
      join(host.home, ".config/vault-run", JSON.parse(await a.must(["status", "--json"])).vault, "owner.key"),
    );
    await a.set("web/THREE", "three");
    await a.must(["sync"]);
    const { status, stderr } = await host.run(["sync", "--agent", "crawler"]);
    expect(stderr).toContain("1 commit came, 0 went");
    expect(status).toBe(0);
    expect(await host.must(["get", "web/THREE", "--agent", "crawler"])).toBe("three");
  });

  it("leaves everything as it was where it cannot go on", async () => {
    const { a, b } = place();
    writeFileSync(join(a.repo, "notes.txt"), "of a\n");
    a.git("add", "notes.txt");
    a.git("commit", "--quiet", "--message", "notes");
    await a.set("web/A", "value-a");
    await a.must(["sync"]);
    writeFileSync(join(b.repo, "notes.txt"), "of b\n");
    b.git("add", "notes.txt");
    b.git("commit", "--quiet", "--message", "notes too");
    await b.set("web/B", "value-b");
    const before = b.snapshot();
    const conflict = await b.run(["sync"]);
    expect(conflict.stderr).toContain("both sides changed a file that is not the vault's: notes.txt");
    writeFileSync(join(b.repo, "notes.txt"), "changed\n");
    const dirty = await b.run(["sync"]);
    expect(dirty.stderr).toContain("changes here that are not committed");
    b.git("checkout", "--quiet", "notes.txt");
    expect(b.snapshot()).toBe(before);
    b.git("remote", "remove", "origin");
    expect((await b.run(["sync"])).stderr).toContain("follows no other repository's");
  });
});

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { findHeadCommit } from "../../src/git/head.ts";
import { Repository } from "../../src/git/repository.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git, gitInit } from "../fixtures/vault.ts";

let folder: string;
beforeEach(() => {
  folder = tempFolder();
  gitInit(folder);
});

const write = (path: string, text: string) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const hook = (event: string, script: string) => {
  write(`.git/hooks/${event}`, `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, `.git/hooks/${event}`), 0o755);
};
const scratch = () => tempFolder();
const commitAll = () => {
  git(folder, "add", "--all");
  git(folder, "commit", "--quiet", "--message", "first");
};

describe("a commit (promise 9)", () => {
  it("holds exactly the paths given; what was staged stays staged, what was changed stays changed", async () => {
    for (const name of ["staged.txt", "changed.txt", "gone.txt", "partly.txt"]) write(name, "one\n");
    commitAll();
    write("staged.txt", "two\n");
    write("added.txt", "new\n");
    write("partly.txt", "two\n");
    rmSync(join(folder, "gone.txt"));
    git(folder, "add", "--all");
    write("partly.txt", "three\n");
    write("changed.txt", "two\n");
    write(".vault/vault.json", "{}\n");
    const before = git(folder, "status", "--porcelain", "--", "*.txt");
    const repository = await Repository.find(folder);
    await repository.commit([join(folder, ".vault/vault.json")], "vault-run: test", scratch());
    expect(git(folder, "show", "--format=%s", "--name-only", "HEAD")).toBe(
      "vault-run: test\n\n.vault/vault.json",
    );
    expect(git(folder, "status", "--porcelain", "--", "*.txt")).toBe(before);
    expect(git(folder, "show", ":partly.txt")).toBe("two");
  });

  it("works as a repository's first", async () => {
    write("staged.txt", "one\n");
    git(folder, "add", "--all");
    write(".vault/vault.json", "{}\n");
    const repository = await Repository.find(folder);
    await repository.commit([join(folder, ".vault/vault.json")], "vault-run: test", scratch());
    expect(git(folder, "ls-tree", "-r", "--name-only", "HEAD")).toBe(".vault/vault.json");
    expect(git(folder, "status", "--porcelain")).toBe("A  staged.txt");
  });

  it("takes paths for what they are, not for patterns or options (A12)", async () => {
    write("a", "one\n");
    commitAll();
    const names = ["*", "--force", ":(top)a", "new\nline", "späße"];
    for (const name of names) write(`${name}/.vault/vault.json`, "{}\n");
    write("a", "two\n");
    const repository = await Repository.find(folder);
    await repository.commit(
      names.map((name) => join(folder, name, ".vault/vault.json")),
      "vault-run: test",
      scratch(),
    );
    expect(
      git(folder, "show", "--format=", "--name-only", "-z", "HEAD").split("\0").filter(Boolean).sort(),
    ).toEqual(names.map((name) => `${name}/.vault/vault.json`).sort());
  });

  it("is made in folders whose names begin or end with a space", async () => {
    folder = join(folder, "repo ");
    mkdirSync(folder);
    gitInit(folder);
    write(" folder/.vault/vault.json", "{}\n");
    const repository = await Repository.find(folder);
    const path = join(folder, " folder/.vault/vault.json");
    expect(await repository.commit([path], "vault-run: test", scratch())).toMatch(/^[0-9a-f]+$/);
    expect(git(folder, "status", "--porcelain")).toBe("");
  });

  it("holds paths that the repository ignores", async () => {
    write(".gitignore", ".vault\n*.json\n");
    commitAll();
    write(".vault/vault.json", "{}\n");
    const repository = await Repository.find(folder);
    expect(
      await repository.commit([join(folder, ".vault/vault.json")], "vault-run: test", scratch()),
    ).toMatch(/^[0-9a-f]+$/);
  });

  it("holds paths that git was told to take for unchanged, by hand or by its settings", async () => {
    const paths = ["vault.json", ".vault/vault.json", ".vault/agents/a/agent.json"];
    for (const path of paths) write(path, "one\n");
    commitAll();
    git(folder, "update-index", "--assume-unchanged", ...paths);
    git(folder, "config", "core.ignoreStat", "true");
    const repository = await Repository.find(folder);
    for (const text of ["two", "three"]) {
      for (const path of paths) write(path, `${text}\n`);
      await repository.commit(
        paths.map((path) => join(folder, path)),
        "vault-run: test",
        scratch(),
      );
      for (const path of paths) expect(git(folder, "show", `HEAD:${path}`)).toBe(text);
    }
  });

  it("that fails leaves the index as it was", async () => {
    write("a", "one\n");
    commitAll();
    hook("pre-commit", "exit 1");
    write(".vault/vault.json", "{}\n");
    const repository = await Repository.find(folder);
    await expect(
      repository.commit([join(folder, ".vault/vault.json")], "x", scratch()),
    ).rejects.toMatchObject({ code: "git-failed" });
    expect(git(folder, "status", "--porcelain", "--untracked-files=all")).toBe("?? .vault/vault.json");
  });

  it("that fails leaves staged what others staged meanwhile", async () => {
    for (const name of ["a", "b", ".vault/vault.json"]) write(name, "one\n");
    commitAll();
    for (const name of ["a", "b", ".vault/vault.json"]) write(name, "two\n");
    git(folder, "add", "a", ".vault/vault.json");
    write(".vault/vault.json", "three\n");
    // Git runs it when it has written the index and gives it free.
    hook("post-index-change", "git add b");
    hook("pre-commit", "exit 1");
    const repository = await Repository.find(folder);
    await expect(
      repository.commit([join(folder, ".vault/vault.json")], "x", scratch()),
    ).rejects.toMatchObject({ code: "git-failed" });
    expect(git(folder, "diff", "--cached", "--name-only")).toBe(".vault/vault.json\na\nb");
    expect(git(folder, "show", ":.vault/vault.json")).toBe("two");
  });

  it("that fails leaves what others staged at its own paths meanwhile", async () => {
    write(".vault/vault.json", "one\n");
    commitAll();
    write("other", "two\n");
    const other = git(folder, "hash-object", "-w", "other");
    write(".vault/vault.json", "three\n");
    hook(
      "pre-commit",
      `rm .git/index.lock; unset GIT_INDEX_FILE; git update-index --cacheinfo 100644,${other},.vault/vault.json; exit 1`,
    );
    const repository = await Repository.find(folder);
    await expect(
      repository.commit([join(folder, ".vault/vault.json")], "x", scratch()),
    ).rejects.toMatchObject({ code: "git-failed" });
    expect(git(folder, "show", ":.vault/vault.json")).toBe("two");
  });

  it.each([
    [
      "other bytes",
      "tr -d '\\n' < .vault/vault.json > v; cat v > .vault/vault.json; git add .vault/vault.json",
    ],
    ["other paths", "git add mine"],
    ["fewer paths", "git rm --quiet --cached .vault/new.json"],
  ])("into which a hook puts %s is taken back", async (_, script) => {
    for (const path of ["a", ".vault/vault.json"]) write(path, "one\n");
    commitAll();
    for (const path of ["a", ".vault/vault.json", ".vault/new.json", "mine"]) write(path, "two\n");
    git(folder, "add", "a");
    const before = [git(folder, "rev-parse", "HEAD"), git(folder, "ls-files", "--stage")];
    hook("pre-commit", script);
    const repository = await Repository.find(folder);
    const paths = ["vault", "new"].map((name) => join(folder, `.vault/${name}.json`));
    await expect(repository.commit(paths, "x", scratch())).rejects.toMatchObject({
      code: "git-failed",
      message: expect.stringContaining("a hook of this repository changed what was to be committed: "),
    });
    expect([git(folder, "rev-parse", "HEAD"), git(folder, "ls-files", "--stage")]).toEqual(before);
  });

  it("into which a hook puts other bytes is taken back as a repository's first", async () => {
    hook("pre-commit", "echo three > .vault/vault.json; git add .vault/vault.json");
    write(".vault/vault.json", "{}\n");
    const repository = await Repository.find(folder);
    await expect(
      repository.commit([join(folder, ".vault/vault.json")], "x", scratch()),
    ).rejects.toMatchObject({ code: "git-failed" });
    expect(await repository.hasHead()).toBe(false);
    expect(git(folder, "ls-files")).toBe("");
  });

  it("stands where a hook makes another one after it", async () => {
    hook("post-commit", "rm .git/hooks/post-commit; echo two > b; git add b; git commit --quiet -m theirs");
    write(".vault/vault.json", "{}\n");
    const repository = await Repository.find(folder);
    await repository.commit([join(folder, ".vault/vault.json")], "vault-run: test", scratch());
    expect(git(folder, "log", "--format=%s")).toBe("theirs\nvault-run: test");
  });

  it.each([".vault/.gitattributes", ".gitattributes", ".git/info/attributes"])(
    "is refused where git would commit other bytes, by %s",
    async (where) => {
      write("a", "one\n");
      commitAll();
      const head = git(folder, "rev-parse", "HEAD");
      git(folder, "config", "filter.upper.clean", "tr a-z A-Z");
      write(where, "*.json filter=upper\n");
      write(".vault/vault.json", "{}\n");
      const repository = await Repository.find(folder);
      await expect(
        repository.commit([join(folder, ".vault/vault.json")], "x", scratch()),
      ).rejects.toMatchObject({
        code: "git-not-ready",
        message: "git would change the bytes of a record, by the attribute filter=upper: .vault/vault.json",
      });
      expect(git(folder, "rev-parse", "HEAD")).toBe(head);
      expect(git(folder, "diff", "--cached", "--name-only")).toBe("");
    },
  );

  it("is not made where nothing differs", async () => {
    write(".vault/vault.json", "{}\n");
    commitAll();
    const repository = await Repository.find(folder);
    expect(await repository.commit([join(folder, ".vault/vault.json")], "x", scratch())).toBeUndefined();
  });
});

describe("a repository", () => {
  it("is refused before anything is written where a commit would fail or be lost", async () => {
    write("a", "one\n");
    commitAll();
    const repository = await Repository.find(folder);
    await expect(repository.requireCommittable()).resolves.toBeUndefined();
    writeFileSync(join(folder, ".git/MERGE_HEAD"), git(folder, "rev-parse", "HEAD"));
    await expect(repository.requireCommittable()).rejects.toThrow(/merge is in progress/);
    rmSync(join(folder, ".git/MERGE_HEAD"));
    git(folder, "checkout", "--quiet", "--detach");
    await expect(repository.requireCommittable()).rejects.toThrow(/detached/);
  });

  it("is needed, with a work tree", async () => {
    await expect(Repository.find(tempFolder())).rejects.toMatchObject({ code: "no-repository" });
    const bare = tempFolder();
    git(bare, "init", "--quiet", "--bare");
    await expect(Repository.find(bare)).rejects.toMatchObject({ code: "no-repository" });
  });
});

describe("the commit a work tree stands at", () => {
  it("is read without git: on a branch, detached, packed, in a worktree and in a subfolder", () => {
    expect(findHeadCommit(folder)).toBeUndefined();
    write("sub/a", "one\n");
    commitAll();
    const head = git(folder, "rev-parse", "HEAD");
    expect(findHeadCommit(folder)).toBe(head);
    expect(findHeadCommit(join(folder, "sub"))).toBe(head);
    git(folder, "pack-refs", "--all");
    expect(findHeadCommit(folder)).toBe(head);
    const worktree = join(tempFolder(), "tree");
    git(folder, "worktree", "add", "--quiet", "-b", "side", worktree);
    expect(findHeadCommit(worktree)).toBe(head);
    git(folder, "checkout", "--quiet", "--detach");
    expect(findHeadCommit(folder)).toBe(head);
  });

  it("is not looked for outside the git folder", () => {
    writeFileSync(join(folder, ".git/HEAD"), "ref: refs/../../secret\n");
    writeFileSync(join(folder, "secret"), "0123456789012345678901234567890123456789\n");
    expect(findHeadCommit(folder)).toBeUndefined();
    expect(readFileSync(join(folder, "secret"), "utf8")).toContain("0123");
  });
});

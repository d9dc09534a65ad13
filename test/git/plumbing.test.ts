import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { Plumbing } from "../../src/git/plumbing.ts";
import { fetchObjects, isCommit, listRefs, listRemoteRefs, moveRef, pushRefs } from "../../src/git/refs.ts";
import { Repository } from "../../src/git/repository.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, git, gitInit } from "../fixtures/vault.ts";

let folder: string;
let plumbing: Plumbing;
beforeEach(async () => {
  folder = tempFolder();
  gitInit(folder);
  git(folder, "commit", "--quiet", "--allow-empty", "--message", "first");
  plumbing = await Plumbing.open(await Repository.find(folder), tempFolder());
});

describe("plumbing", () => {
  it("packs loose objects only where there are many", async () => {
    const loose = () => Number(/^count: (\d+)/m.exec(git(folder, "count-objects", "-v"))![1]);
    const write = (count: number) => {
      mkdirSync(join(folder, "files"), { recursive: true });
      const paths = Array.from({ length: count }, (_, i) => join(folder, `files/${i}`));
      for (const path of paths) writeFileSync(path, `${path}\n`.repeat(20));
      git(folder, "hash-object", "-w", ...paths);
    };
    write(100);
    await plumbing.packLoose();
    expect(loose()).toBeGreaterThan(100);
    write(600);
    await plumbing.packLoose();
    await plumbing.packLoose();
    expect(loose()).toBe(0);
    expect(git(folder, "log", "--format=%s")).toBe("first");
  });

  it("moves a ref only from where it is said to be", async () => {
    const [first, ref] = [git(folder, "rev-parse", "HEAD"), "refs/other/one"];
    await moveRef(plumbing, ref, first, undefined);
    expect(await codeOf(() => moveRef(plumbing, ref, first, undefined))).toBe("git-failed");
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "second");
    const second = git(folder, "rev-parse", "HEAD");
    expect(await codeOf(() => moveRef(plumbing, ref, second, second))).toBe("git-failed");
    await moveRef(plumbing, ref, second, first);
    expect(await listRefs(plumbing, "refs/other/")).toEqual(new Map([[ref, second]]));
  });

  it("pushes each ref by itself and never over anything, and fetches without moving a ref", async () => {
    const remote = join(tempFolder(), "bare.git");
    git(folder, "init", "--quiet", "--bare", remote);
    git(folder, "remote", "add", "origin", remote);
    const first = git(folder, "rev-parse", "HEAD");
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "second");
    const second = git(folder, "rev-parse", "HEAD");
    expect(await pushRefs(plumbing, "origin", new Map([["refs/a/1", second]]))).toEqual(new Map());
    const refused = await pushRefs(
      plumbing,
      "origin",
      new Map([
        ["refs/a/1", first],
        ["refs/a/2", first],
      ]),
    );
    expect([...refused.keys()]).toEqual(["refs/a/1"]);
    expect(await listRemoteRefs(plumbing, "origin", "refs/a/")).toEqual(
      new Map([
        ["refs/a/1", second],
        ["refs/a/2", first],
      ]),
    );
    const other = tempFolder();
    gitInit(other);
    git(other, "remote", "add", "origin", remote);
    const there = await Plumbing.open(await Repository.find(other), tempFolder());
    await fetchObjects(there, "origin", ["refs/a/1"]);
    expect(await isCommit(there, second)).toBe(true);
    expect(git(other, "for-each-ref")).toBe("");
    expect(() => readFileSync(join(other, ".git/FETCH_HEAD"))).toThrow("ENOENT");
    git(folder, "remote", "set-url", "origin", join(remote, "gone"));
    expect(await codeOf(() => pushRefs(plumbing, "origin", new Map([["refs/a/3", first]])))).toBe(
      "git-failed",
    );
  });
});

import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { readBlobs } from "../../src/git/blobs.ts";
import { findOnBranches, otherBranches } from "../../src/git/branches.ts";
import { readHistory, readTree } from "../../src/git/history.ts";
import { Repository } from "../../src/git/repository.ts";
import { MAX_RECORD_BYTES } from "../../src/vault/record.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git, gitInit } from "../fixtures/vault.ts";

let folder: string;
beforeEach(() => {
  folder = tempFolder();
  gitInit(folder);
});

function commit(path: string, text: string): string {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
  git(folder, "add", "--all");
  git(folder, "commit", "--quiet", "--message", `write ${path}`);
  return git(folder, "rev-parse", "HEAD");
}

async function blobs(names: readonly string[]): Promise<(Buffer | undefined)[]> {
  const found: (Buffer | undefined)[] = [];
  for await (const bytes of readBlobs(folder, names)) found.push(bytes);
  return found;
}

describe("history", () => {
  it("has every version with the commit that made it, through merges, moves and removals", async () => {
    const first = commit("a/x.json", "one");
    git(folder, "switch", "--quiet", "--create", "side");
    const side = commit("a/x.json", "side");
    git(folder, "switch", "--quiet", "main");
    const main = commit("a/x.json", "main");
    expect(() => git(folder, "merge", "side")).toThrow();
    const merged = commit("a/x.json", "merged");
    renameSync(join(folder, "a"), join(folder, "b"));
    const moved = commit("y", "moved");
    git(folder, "rm", "--quiet", "b/x.json");
    git(folder, "commit", "--quiet", "--message", "gone");
    const repository = await Repository.find(folder);
    const versions = await readHistory(repository, ["HEAD"], [":(top,glob)**/x.json"]);
    const there = versions.filter(({ blob }) => blob !== undefined);
    expect(there.map((version) => version.commit).sort()).toEqual([moved, merged, main, side, first].sort());
    const texts = (await blobs(there.map(({ blob }) => blob!))).map(String);
    expect(Object.fromEntries(there.map((version, at) => [version.commit, texts[at]]))).toEqual({
      [moved]: "merged",
      [merged]: "merged",
      [main]: "main",
      [side]: "side",
      [first]: "one",
    });
    expect(new Set(versions.map(({ path }) => path))).toEqual(new Set(["a/x.json", "b/x.json"]));
  });

  it("keeps its order when it grows, whatever a merge brings in and whenever that was made", async () => {
    const versions = async () => {
      const repository = await Repository.find(folder);
      const found = await readHistory(repository, ["HEAD"], [":(top,glob)**/*.json"]);
      return found.map(({ path }) => path).reverse();
    };
    git(folder, "config", "log.showRoot", "false");
    git(folder, "config", "log.showSignature", "true");
    git(folder, "config", "log.follow", "true");
    commit("a.json", "a");
    commit("unrelated", "u");
    git(folder, "switch", "--quiet", "--create", "side");
    commit("b.json", "b");
    git(folder, "switch", "--quiet", "main");
    commit("c.json", "c");
    commit("d.json", "d");
    expect(await versions()).toEqual(["a.json", "c.json", "d.json"]);
    // The side branch takes main in before main takes the side branch in.
    git(folder, "switch", "--quiet", "side");
    git(folder, "merge", "--quiet", "--message", "main", "main");
    commit("e.json", "e");
    git(folder, "switch", "--quiet", "main");
    git(folder, "merge", "--quiet", "--no-ff", "--message", "side", "side");
    expect(await versions()).toEqual(["a.json", "c.json", "d.json", "b.json", "e.json"]);
  });
});

describe("a commit's tree", () => {
  it("lists the files of a folder, and of a link only that it is there", async () => {
    mkdirSync(join(folder, "v/d"), { recursive: true });
    symlinkSync("d/x.json", join(folder, "v/link.json"));
    commit("v/d/x y.json", "text");
    commit("v/d/x y.json\tand more\n", "other");
    const tree = await readTree(await Repository.find(folder), "HEAD", "v");
    expect(tree.map(({ path, blob }) => [path, typeof blob])).toEqual([
      ["d/x y.json", "string"],
      ["d/x y.json\tand more\n", "string"],
      ["link.json", "undefined"],
    ]);
  });
});

describe("blobs", () => {
  it("come byte for byte, in order, large ones and those that are not there among them", async () => {
    const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    writeFileSync(join(folder, "large"), large);
    writeFileSync(join(folder, "empty"), "");
    commit("small", "small\n");
    const found = await blobs([
      "HEAD:small",
      "HEAD:none",
      "HEAD:large",
      "HEAD:empty",
      "HEAD^{tree}",
      "HEAD:small",
    ]);
    expect(found.map((bytes) => bytes?.length)).toEqual([6, undefined, 300_000, 0, undefined, 6]);
    expect(found[2]!.equals(large)).toBe(true);
  });

  it("are kept in memory no further than a record can be large (A19)", async () => {
    writeFileSync(join(folder, "huge"), "");
    truncateSync(join(folder, "huge"), 48 * 1024 * 1024);
    commit("small", "small\n");
    const found = await blobs(["HEAD:huge", "HEAD:small"]);
    expect(found[0]!.length).toBeGreaterThan(MAX_RECORD_BYTES);
    expect(found[0]!.length).toBeLessThan(2 * MAX_RECORD_BYTES);
    expect(found[1]!.toString()).toBe("small\n");
  });
});

describe("a file on the local branches", () => {
  const find = (path: string) =>
    findOnBranches(join(folder, "sub/f"), otherBranches(folder), path).map(({ branch, bytes }) => [
      branch,
      bytes.toString(),
    ]);

  it("is found with the branches that have it and are not checked out, by its path from a folder below the top", () => {
    commit("sub/f/x.json", "on main");
    git(folder, "switch", "--quiet", "--create", "other/branch");
    commit("sub/f/x.json", "elsewhere");
    expect(find("x.json")).toEqual([["main", "on main"]]);
    git(folder, "tag", "main");
    expect(find("x.json")).toEqual([["main", "on main"]]);
    expect(otherBranches(tempFolder())).toEqual([]);
  });

  it("is found on some of many, byte for byte, where others have none, or a folder of that name", () => {
    commit("sub/f/other.json", "other");
    for (const [branch, path, bytes] of [
      ["a", "sub/f/x.json", "two\nlines\n"],
      ["b", "sub/f/y.json", "another"],
      ["c", "sub/f/x.json/z", "below a folder"],
      ["d", "sub/f/x.json", "\n"],
    ] as const) {
      git(folder, "switch", "--quiet", "--create", branch, "main");
      commit(path, bytes);
    }
    git(folder, "switch", "--quiet", "main");
    expect(find("x.json")).toEqual([
      ["a", "two\nlines\n"],
      ["d", "\n"],
    ]);
    expect(find("none.json")).toEqual([]);
  });
});

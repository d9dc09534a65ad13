import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contentsIn } from "../../src/git/blobs.ts";
import { type ChangedBlob, countCommits, readCommits, readStaged } from "../../src/git/changes.ts";
import { Answers, readContents } from "../../src/git/objects.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git, gitInit } from "../fixtures/vault.ts";

function repository(files: Record<string, string | Uint8Array>): string {
  const repo = tempFolder();
  gitInit(repo);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(repo, path, ".."), { recursive: true });
    writeFileSync(join(repo, path), content);
  }
  git(repo, "add", "--force", ".");
  return repo;
}

async function contentsOf(repo: string, items: Iterable<ChangedBlob>): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for await (const { item, chunks } of readContents(repo, items)) {
    const all: Buffer[] = [];
    for await (const chunk of chunks) all.push(chunk);
    found.push([item.path, Buffer.concat(all)]);
  }
  return found;
}

describe("staged blobs", () => {
  it("are read byte for byte, of any name and size, before the first commit and after", async () => {
    const large = randomBytes(3_000_000);
    const files = { "a\tb\nc ü.txt": "one\n", empty: "", "deep/er/large.bin": large, "-n": "two" };
    const repo = repository(files);
    const expected = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]);
    const sorted = (list: unknown[][]) => list.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
    expect(sorted(await contentsOf(repo, await readStaged(repo)))).toEqual(sorted(expected));
    git(repo, "commit", "--quiet", "--message", "first");
    expect(await readStaged(repo)).toEqual([]);
    git(repo, "rm", "--quiet", "empty");
    expect(await readStaged(repo)).toEqual([]);
  });

  it("may be more than are asked for ahead, and be left unread", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 700 }, (_, i) => [`${i}.txt`, `content ${i}\n`.repeat(i)]),
    );
    const repo = repository(files);
    const staged = await readStaged(repo);
    expect((await contentsOf(repo, staged)).map(([path]) => path)).toEqual(staged.map(({ path }) => path));
    const seen: string[] = [];
    for await (const { item } of readContents(repo, staged)) {
      seen.push(item.path);
      if (seen.length === 300) break;
    }
    expect(seen).toEqual(staged.slice(0, 300).map(({ path }) => path));
  });

  it("that are not there are an error: nothing goes unseen", async () => {
    const repo = repository({ "a.txt": "one" });
    const missing: ChangedBlob = { kind: "blob", path: "gone", blob: "1".repeat(40) };
    await expect(contentsOf(repo, [...(await readStaged(repo)), missing])).rejects.toMatchObject({
      code: "git-failed",
    });
    await expect(contentsOf(repo, [{ ...missing, blob: "HEAD" }])).rejects.toMatchObject({
      code: "git-failed",
    });
  });
});

describe("commits", () => {
  it("are read oldest first, with their messages, whatever a user's settings or replaced objects say", async () => {
    const repo = repository({ "a.txt": "one" });
    git(repo, "commit", "--quiet", "--message", "first\n\n:100644 not an entry");
    const first = git(repo, "rev-parse", "HEAD");
    writeFileSync(join(repo, "b.txt"), "two");
    git(repo, "add", "b.txt");
    git(repo, "commit", "--quiet", "--message", "second");
    const other = git(
      repo,
      "commit-tree",
      "-m",
      "other",
      git(repo, "hash-object", "-t", "tree", "-w", "/dev/null"),
    );
    git(repo, "replace", first, other);
    for (const [name, value] of [
      ["log.showRoot", "false"],
      ["log.showSignature", "true"],
      ["log.follow", "true"],
      ["diff.renames", "copies"],
      ["core.quotePath", "true"],
    ] as const)
      git(repo, "config", name, value);
    const read: string[] = [];
    for await (const change of readCommits(repo, ["HEAD"]))
      read.push(change.kind === "blob" ? change.path : change.message.trim());
    expect(read).toEqual(["first\n\n:100644 not an entry", "a.txt", "second", "b.txt"]);
    await expect(async () => {
      for await (const _ of readCommits(repo, ["2".repeat(40)]));
    }).rejects.toMatchObject({ code: "git-failed" });
  });

  it("are looked through where more of them are named than an argument vector holds", async () => {
    const repo = repository({ "a.txt": "one" });
    git(repo, "commit", "--quiet", "--message", "first");
    const known = Array<string>(60_000).fill(`^${git(repo, "rev-parse", "HEAD")}`);
    writeFileSync(join(repo, "b.txt"), "two");
    git(repo, "add", "b.txt");
    git(repo, "commit", "--quiet", "--message", "second");
    const revisions = [git(repo, "rev-parse", "HEAD"), ...known, "--not", "--glob=refs/remotes/origin/*"];
    const read: string[] = [];
    for await (const change of readCommits(repo, revisions))
      read.push(change.kind === "blob" ? change.path : change.message.trim());
    expect(read).toEqual(["second", "b.txt"]);
    expect(await countCommits(repo, revisions)).toBe(1);
  });
});

describe("a line of git's that does not end", () => {
  it.each([
    ["one by one", (stream: AsyncIterable<Buffer>) => new Answers(stream).next({ blob: "a" }).next()],
    ["all at once", (stream: AsyncIterable<Buffer>) => contentsIn(stream, 1).next()],
  ])("is given up: %s", async (_, read) => {
    let pieces = 0;
    const stream = async function* () {
      for (; pieces < 100; pieces++) yield Buffer.alloc(64 * 1024, "a");
    };
    await expect(read(stream())).rejects.toMatchObject({ code: "git-failed" });
    expect(pieces).toBeLessThan(5);
  });
});

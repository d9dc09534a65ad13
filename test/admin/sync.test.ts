import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { operate } from "../../src/admin/operate.ts";
import { newOwner, planAddOwner } from "../../src/admin/plans/add-owner.ts";
import { planRemoveOwner } from "../../src/admin/plans/remove-owner.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { syncVault } from "../../src/admin/sync/sync.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { VaultError } from "../../src/vault-error.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, git, TestVault } from "../fixtures/vault.ts";

// One owner's two clones and a bare repository between them; what comes is not always what an owner made, and git does not
// always do what it was asked for. Of what is refused nothing here has moved.

const template = await TestVault.template("classic", async (vault) => {
  for (const agent of ["crawler", "stays"]) await vault.addAgent(agent);
  for (const name of ["ONE", "TWO"]) await vault.set(`web/${name}`, `web-${name}`);
  for (const agent of ["crawler", "stays"]) await vault.grant(agent, "web");
});

interface Place {
  readonly bare: string;
  readonly a: TestVault;
  readonly b: TestVault;
}

function place(): Place {
  const bare = tempFolder();
  git(bare, "init", "--quiet", "--bare", "--initial-branch=main");
  const [a, b] = [template.copy(), template.copy()];
  for (const clone of [a, b]) clone.git("remote", "add", "origin", bare);
  a.git("push", "--quiet", "--set-upstream", "origin", "main");
  b.git("fetch", "--quiet");
  b.git("branch", "--quiet", "--set-upstream-to=origin/main");
  // What b does is later than what a did.
  b.passTime(60_000);
  return { bare, a, b };
}

const silent = { note: () => {} };
const asking = { chooseOlder: async () => false, confirm: async () => {}, progress: () => {} };

const sync = (vault: TestVault, machine: Machine = vault.machine) =>
  syncVault(machine, { root: vault.root }, silent, asking);

/** What someone does who can push and holds no key of the owner. */
function pushAs(bare: string, change: (folder: string) => void): void {
  const folder = tempFolder();
  git(folder, "clone", "--quiet", bare, ".");
  git(folder, "config", "user.name", "Someone");
  git(folder, "config", "user.email", "someone@example.org");
  change(folder);
  git(folder, "add", "--all", "--force");
  git(folder, "commit", "--quiet", "--message", "looks harmless");
  git(folder, "push", "--quiet", "origin", "HEAD");
}

function put(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function hook(vault: TestVault, name: string, script = "exit 1"): void {
  const path = join(vault.repo, ".git/hooks", name);
  put(vault.repo, `.git/hooks/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Everything of a clone that a refusal must leave alone. */
function stateOf({ repo }: TestVault): string {
  const status = git(repo, "status", "--porcelain", "--untracked-files=all");
  const folders = readdirSync(join(repo, ".git")).filter((name) => /rebase|MERGE|_HEAD$/.test(name));
  const own = folders.filter((name) => name !== "FETCH_HEAD" && name !== "ORIG_HEAD");
  return [
    git(repo, "symbolic-ref", "HEAD"),
    status,
    git(repo, "for-each-ref"),
    git(repo, "stash", "list"),
    ...own,
  ].join("\n");
}

/** The message of what sync is refused with. It leaves the clone as it was, and the vault usable. */
async function refusal(vault: TestVault, machine: Machine = vault.machine): Promise<string> {
  const before = stateOf(vault);
  let message = "";
  try {
    await sync(vault, machine);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    message = error.message;
  }
  expect(stateOf(vault)).toBe(before);
  expect(await codeOf(async () => (await vault.owner()).vault.readAll())).toBeUndefined();
  return message;
}

const SECRET = ".vault/groups/web/secrets/ONE.json";

const STOPS: readonly [string, (folder: string) => void][] = [
  ["a name that no record has", (folder) => put(folder, ".vault/groups/web/secrets/1 x.json", "{}")],
  ["a folder that no agent has", (folder) => put(folder, ".vault/agents/Bad Name/x", "x")],
  ["an agent's folder without the agent", (folder) => put(folder, ".vault/agents/nobody/x", "x")],
  ["a group's folder without the group", (folder) => put(folder, ".vault/groups/nothing/x", "x")],
  ["a name's twin", (folder) => put(folder, ".vault/groups/web/secrets/one.json", "{}")],
  ["a link in a folder's place", (folder) => symlinkSync("web", join(folder, ".vault/groups/link"))],
  [
    "a link in the place of a folder of secrets",
    (folder) => {
      git(folder, "rm", "--quiet", "-r", ".vault/groups/web/secrets");
      symlinkSync("../../..", join(folder, ".vault/groups/web/secrets"));
    },
  ],
  ["a record as large as no record is", (folder) => put(folder, SECRET, " ".repeat(20 << 20))],
  ["line ends that git changes", (folder) => put(folder, ".vault/.gitattributes", "* text eol=crlf\n")],
  [
    "a submodule in the vault's place",
    (folder) => {
      git(folder, "rm", "--quiet", "-r", ".vault");
      git(
        folder,
        "update-index",
        "--add",
        "--cacheinfo",
        `160000,${git(folder, "rev-parse", "HEAD")},.vault`,
      );
    },
  ],
];

describe("sync refuses a push by someone without a key", () => {
  it("that hides an older record behind a name that begins like its own (A5, A13)", async () => {
    const { bare, a, b } = place();
    const old = git(a.repo, "rev-parse", "HEAD");
    await a.set("web/ONE", "second");
    await sync(a);
    await sync(b);
    pushAs(bare, (folder) => {
      put(folder, `${SECRET}\tx`, `${git(folder, "show", `HEAD:${SECRET}`)}\n`);
      git(folder, "checkout", "--quiet", old, "--", SECRET);
    });
    expect(await refusal(b)).toContain("older record was put back");
  });

  it("that takes back what an owner pushed before anyone here saw it (A5)", async () => {
    const { bare, a, b } = place();
    const old = git(a.repo, "rev-parse", "HEAD");
    await a.revoke("crawler", "web");
    await sync(a);
    pushAs(bare, (folder) => git(folder, "checkout", "--quiet", old, "--", ".vault"));
    expect(await refusal(b)).toContain("older record was put back");
    await b.set("web/THREE", "three");
    expect(await refusal(b)).toContain("older record was put back");
  });

  it("that brings what readers would stop at, wherever that stands (A13, A19)", async () => {
    const { bare, a, b } = place();
    await a.set("web/ONE", "second");
    await sync(a);
    put(b.repo, "staged.txt", "staged\n");
    b.git("add", "staged.txt");
    const good = a.git("rev-parse", "HEAD");
    for (const [what, change] of STOPS) {
      pushAs(bare, change);
      expect(await refusal(b), what).not.toBe("");
      git(bare, "update-ref", "refs/heads/main", good);
    }
  });

  it("whose attributes make git mix two records, or keep one side's in silence", async () => {
    for (const attributes of ["*.json merge=union\n", "*.json merge=ours\n"]) {
      const { bare, a, b } = place();
      b.git("config", "merge.ours.driver", "true");
      pushAs(bare, (folder) => {
        put(folder, ".gitattributes", attributes);
        put(folder, ".vault/.gitattributes", attributes);
      });
      for (const clone of [a, b]) await sync(clone);
      await a.set("web/ONE", "of a");
      await sync(a);
      await b.revoke("crawler", "web");
      expect(await refusal(b)).toContain("git merged");
    }
  });

  it("but not for ever, once a file that no owner signed is out again", async () => {
    const { bare, b } = place();
    const junk = ".vault/groups/web/secrets/JUNK.json";
    pushAs(bare, (folder) => put(folder, junk, "{}"));
    expect(await refusal(b)).toContain("JUNK");
    pushAs(bare, (folder) => rmSync(join(folder, junk)));
    expect((await sync(b)).came).toBe(2);
  });
});

describe("sync leaves a clone as it was where git does not do what it was asked for", () => {
  const conflicting = async ({ a, b }: Place) => {
    await a.set("web/ONE", "of a");
    await sync(a);
    await b.revoke("crawler", "web");
  };
  const apart = async ({ a, b }: Place) => {
    await a.set("web/ONE", "of a");
    await sync(a);
    await b.set("web/THREE", "of b");
  };

  it.each<[string, (place: Place) => Promise<void>, (vault: TestVault) => void, string]>([
    [
      "a hook before the rebase says no",
      apart,
      (v) => hook(v, "pre-rebase", "echo no rebase >&2; exit 1"),
      "no rebase",
    ],
    [
      "an untracked file is in the way",
      async (at) => {
        await apart(at);
        pushAs(at.bare, (folder) => put(folder, "notes.txt", "theirs\n"));
      },
      (v) => put(v.repo, "notes.txt", "ours\n"),
      "notes.txt",
    ],
    [
      "an untracked file is in a merge's way",
      async (at) => {
        await conflicting(at);
        pushAs(at.bare, (folder) => put(folder, "notes.txt", "theirs\n"));
      },
      (v) => put(v.repo, "notes.txt", "ours\n"),
      "notes.txt",
    ],
    [
      "a hook refuses the merge",
      conflicting,
      (v) => hook(v, "commit-msg", "echo not like this >&2; exit 1"),
      "not like this",
    ],
    [
      "a merge cannot be signed",
      conflicting,
      (v) => {
        v.git("config", "commit.gpgsign", "true");
        v.git("config", "gpg.program", "false");
      },
      "git commit failed",
    ],
    [
      "only signed commits are merged",
      conflicting,
      (v) => v.git("config", "merge.verifySignatures", "true"),
      "signature",
    ],
  ])("%s", async (_, prepare, obstruct, says) => {
    const at = place();
    await prepare(at);
    obstruct(at.b);
    expect(await refusal(at.b)).toContain(says);
  });

  it("a setting moves branches along with a rebase, or stashes, or squashes", async () => {
    const at = place();
    at.b.git("config", "rebase.updateRefs", "true");
    at.b.git("config", "rebase.autoStash", "true");
    at.b.git("config", "rebase.autoSquash", "true");
    at.b.git("config", "merge.ff", "only");
    await apart(at);
    at.b.git("branch", "other");
    const other = at.b.git("rev-parse", "other");
    expect((await sync(at.b)).went).toBe(1);
    expect(at.b.git("rev-parse", "other")).toBe(other);
  });
});

describe("sync", () => {
  it("needs no owner's key where there are merges of other work here, and the owners changed there", async () => {
    const { a, b } = place();
    await a.rekeyOwner();
    await sync(a);
    const key = readFileSync(b.keyPath("stays"), "utf8");
    rmSync(b.ownerKeyPath());
    for (const branch of ["side", "main"]) {
      b.git("switch", "--quiet", ...(branch === "main" ? [branch] : ["--create", branch]));
      put(b.repo, `${branch}.txt`, "work\n");
      b.git("add", `${branch}.txt`);
      b.git("commit", "--quiet", "--message", branch);
    }
    b.git("merge", "--quiet", "--message", "merge", "side");
    expect((await sync(b, { ...b.machine, env: { VAULT_RUN_KEY: key } })).came).toBe(1);
    expect(b.git("show", "origin/main:side.txt")).toBe("work");
  });

  it("keeps what is in a merge commit alone: it is no rebase's to drop", async () => {
    const at = place();
    await at.a.set("web/ONE", "of a");
    await sync(at.a);
    const { b } = at;
    b.git("switch", "--quiet", "--create", "side");
    await b.set("web/THREE", "of b");
    b.git("switch", "--quiet", "main");
    await b.set("web/FOUR", "of b");
    b.git("merge", "--quiet", "--no-commit", "--no-ff", "side");
    put(b.repo, "only-in-the-merge.txt", "kept\n");
    b.git("add", "only-in-the-merge.txt");
    b.git("commit", "--quiet", "--message", "merge");
    await sync(b);
    expect(b.git("show", "origin/main:only-in-the-merge.txt")).toBe("kept");
    expect(await b.readAs("stays", "web/ONE")).toBe("of a");
  });
});

describe("an owner who was removed here", () => {
  const silently = () => {};

  /** Bea is an owner on both sides, until b removes her. Resolves to where her key is. */
  async function removed({ a, b }: Place): Promise<string> {
    const key = join(tempFolder(), "bea.key");
    await a.change(async (session) => {
      const { owner, keyFile } = await newOwner(session, "bea");
      return { ...(await planAddOwner(session, owner, silently)), keyFile: { path: key, text: keyFile } };
    });
    await sync(a);
    await sync(b);
    await b.change(async (session) => (await planRemoveOwner(session, "bea", silently)).plan);
    return key;
  }

  const owners = async (vault: TestVault) =>
    (await vault.owner()).vault.record.owners.map(({ name }) => name);

  it("is one still in what came from those who do not know it, and none in what is made of it", async () => {
    const at = place();
    await removed(at);
    await at.a.set("web/THREE", "three");
    await sync(at.a);
    await sync(at.b);
    expect(await owners(at.b)).toEqual(["owner"]);
    expect(await at.b.readAs("stays", "web/THREE")).toBe("three");
  });

  it("is none either where those added another one meanwhile", async () => {
    const at = place();
    await removed(at);
    await at.a.change(async (session) =>
      planAddOwner(session, (await newOwner(session, "cid")).owner, silently),
    );
    await sync(at.a);
    await sync(at.b);
    expect(await owners(at.b)).toEqual(["owner", "cid"]);
    expect(await at.b.readAs("stays", "web/ONE")).toBe("web-ONE");
  });

  it("has nothing taken that they signed meanwhile (promise 5)", async () => {
    const at = place();
    const key = await removed(at);
    const asBea = { root: at.a.root, ownerKeyFile: key, commit: true, doing: "test" };
    await operate(at.a.machine, asBea, silent, async (session) => {
      const value = new Secret("web/THREE", Buffer.from("by bea"));
      return (await planSet(session, parseSecretRef("web/THREE"), value, { unsafeName: false })).plan;
    });
    await sync(at.a);
    const before = stateOf(at.b);
    expect(await codeOf(() => sync(at.b))).toBe("record-signature");
    expect(stateOf(at.b)).toEqual(before);
  });

  it("does not come back by being listed again, where others know of it (A2, promise 6)", async () => {
    const at = place();
    await removed(at);
    const old = at.a.git("show", "HEAD:.vault/vault.json");
    await sync(at.b);
    pushAs(at.bare, (folder) => put(folder, ".vault/vault.json", `${old}\n`));
    await at.b.set("web/THREE", "three");
    const before = stateOf(at.b);
    expect(await codeOf(() => sync(at.b))).toBe("untrusted");
    expect(stateOf(at.b)).toEqual(before);
  });
});

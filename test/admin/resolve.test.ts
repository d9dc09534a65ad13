import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkVault } from "../../src/admin/check/check.ts";
import { openEscrow } from "../../src/admin/escrow.ts";
import { resolveMerge } from "../../src/admin/merge/resolve.ts";
import { operate } from "../../src/admin/operate.ts";
import { OwnerSession } from "../../src/admin/owner-session.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { newOwner, planAddOwner } from "../../src/admin/plans/add-owner.ts";
import { planRekeyAgent } from "../../src/admin/plans/rekey-agent.ts";
import { planRekeyOwner } from "../../src/admin/plans/rekey-owner.ts";
import { planRemoveOwner } from "../../src/admin/plans/remove-owner.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseKeyFile, readKeyFile } from "../../src/vault/key-file.ts";
import { stateFolder } from "../../src/vault/machine.ts";
import { parseSecretRef } from "../../src/vault/names.ts";
import { openGrant, openGroup, openSecret } from "../../src/vault/open-sealed.ts";
import type { RecordPath } from "../../src/vault/paths.ts";
import type { GroupRecord } from "../../src/vault/schema.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

// Merges by plain git, no driver installed.

const template = await TestVault.template("classic", async (vault) => {
  for (const agent of ["crawler", "stays", "writer"]) await vault.addAgent(agent);
  for (const group of ["web", "db"])
    for (const name of ["ONE", "TWO"]) await vault.set(`${group}/${name}`, `${group}-${name}`);
  for (const agent of ["crawler", "stays"]) await vault.grant(agent, "web");
});

type Change = (vault: TestVault) => Promise<unknown>;

/**
 * Both changes, each on a branch of its own from main. The second is made first, as on another machine: nothing of it is pinned
 * here.
 */
async function diverge(vault: TestVault, ours: Change, theirs: Change): Promise<void> {
  const pins = join(stateFolder(vault.machine, vault.id), "pins");
  const kept = join(tempFolder(), "pins");
  cpSync(pins, kept, { recursive: true });
  vault.git("switch", "--quiet", "--create", "theirs");
  await theirs(vault);
  rmSync(pins, { recursive: true });
  cpSync(kept, pins, { recursive: true });
  vault.git("switch", "--quiet", "main");
  await ours(vault);
}

function merge(vault: TestVault): boolean {
  try {
    vault.git("merge", "--quiet", "--no-edit", "theirs");
    return true;
  } catch {
    return false;
  }
}

async function problems(vault: TestVault): Promise<string[]> {
  const { findings } = await checkVault(vault.machine, { root: vault.root });
  return findings.filter(({ level }) => level === "error").map(({ kind, where }) => `${kind} ${where}`);
}

async function resolve(vault: TestVault, olderWanted = false, statusAfter = ""): Promise<readonly string[]> {
  const { notes, staged } = await resolveMerge(
    vault.machine,
    { root: vault.root },
    { note: () => {} },
    { chooseOlder: async () => olderWanted, confirm: async () => {}, progress: () => {} },
  );
  if (staged) vault.git("commit", "--quiet", "--no-edit");
  expect(vault.git("status", "--porcelain")).toBe(statusAfter);
  expect(await problems(vault)).toEqual([]);
  return notes;
}

async function seenBy(vault: TestVault, agent: string, ref: string): Promise<string> {
  try {
    return await vault.readAs(agent, ref);
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

async function exposed(vault: TestVault): Promise<string[]> {
  const { vault: seen } = await vault.owner();
  return seen
    .groups()
    .flatMap(({ name }) => seen.secrets(name))
    .flatMap(({ group, name, exposedTo }) =>
      exposedTo.map((by) => `${group}/${name} ${"agent" in by ? by.agent : by.owner}`),
    );
}

const CLEAN: Record<string, Change> = {
  "set a new secret": (vault) => vault.set("web/THREE", "three"),
  "set a new value": (vault) => vault.set("web/ONE", "second"),
  "set in a new group": (vault) => vault.set("fresh/ONE", "one"),
  "unset a secret": (vault) => vault.unset("db/ONE"),
  "add an agent": (vault) => vault.addAgent("new"),
  "grant a group": (vault) => vault.grant("writer", "db"),
  "grant another group": (vault) => vault.grant("writer", "web"),
};

describe("two branches that touch different things", () => {
  const names = Object.keys(CLEAN);
  const pairs = names.flatMap((a, at) => names.slice(at + 1).map((b) => [a, b] as const));
  it.each(pairs)("merge without a conflict into a valid vault: %s, %s", async (a, b) => {
    const vault = template.copy();
    await diverge(vault, CLEAN[a]!, CLEAN[b]!);
    expect(merge(vault)).toBe(true);
    expect(await problems(vault)).toEqual([]);
    expect(await seenBy(vault, "stays", "web/TWO")).toBe("web-TWO");
  });

  it("merge where each revokes in a group of its own", async () => {
    const vault = template.copy();
    await vault.grant("writer", "db");
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.revoke("writer", "db"),
    );
    expect(merge(vault)).toBe(true);
    expect((await problems(vault)).filter((line) => !line.startsWith("rotate"))).toEqual([]);
  });
});

describe("a merge that git found clean and that is wrong in meaning", () => {
  it("is a secret under the key that the other branch retired: check says so, resolve seals it again", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/THREE", "three"),
    );
    expect(merge(vault)).toBe(true);
    expect(await problems(vault)).toEqual(["record-epoch groups/web/secrets/THREE.json"]);
    expect(await seenBy(vault, "stays", "web/THREE")).toBe("record-epoch");
    await resolve(vault);
    expect(await seenBy(vault, "stays", "web/THREE")).toBe("three");
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("web-ONE");
    expect(await seenBy(vault, "crawler", "web/ONE")).toBe("not-granted");
    // The crawler held the key that THREE was first sealed to.
    expect(await exposed(vault)).toEqual(["web/ONE crawler", "web/THREE crawler", "web/TWO crawler"]);
  });

  it("is a grant of a group that got a new key: the agent gets that one", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.grant("writer", "web"),
    );
    expect(merge(vault)).toBe(true);
    expect(await problems(vault)).toEqual(["record-epoch agents/writer/grants/web.json"]);
    await resolve(vault);
    expect(await seenBy(vault, "writer", "web/ONE")).toBe("web-ONE");
    expect(await seenBy(vault, "crawler", "web/ONE")).toBe("not-granted");
  });

  it("is a grant of an agent that was removed: it is taken away, and the group's key with it", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.removeAgent("writer"),
      (v) => v.grant("writer", "db"),
    );
    expect(merge(vault)).toBe(true);
    expect(await problems(vault)).toEqual(["orphan agents/writer/grants/db.json"]);
    const notes = await resolve(vault);
    expect(notes).toEqual(["writer is not there any more: its grant of db is revoked"]);
    expect(await exposed(vault)).toEqual(["db/ONE writer", "db/TWO writer"]);
  });

  it("is not resolved where history is cut, for it would not be known who could read what", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/THREE", "three"),
    );
    expect(merge(vault)).toBe(true);
    const shallow = join(vault.repo, ".git/shallow");
    writeFileSync(shallow, `${vault.git("merge-base", "main^", "theirs")}\n`);
    const head = vault.git("rev-parse", "HEAD");
    expect(await codeOf(() => resolve(vault))).toBe("git-not-ready");
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
    rmSync(shallow);
    await resolve(vault);
  });

  it("is mended in a commit of the vault's files alone: what was staged stays staged (promise 9)", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/THREE", "three"),
    );
    expect(merge(vault)).toBe(true);
    writeFileSync(join(vault.repo, "staged.txt"), "staged\n");
    vault.git("add", "staged.txt");
    await resolve(vault, false, "A  staged.txt");
    const touched = vault.git("show", "--format=", "--name-only", "HEAD").split("\n");
    expect(touched).toContain(".vault/groups/web/secrets/THREE.json");
    expect(touched.filter((path) => !path.startsWith(".vault/"))).toEqual([]);
  });

  it("is committed also after a rebase that had stopped, of which git leaves the head", async () => {
    const vault = template.copy();
    const commit = (text: string) => {
      writeFileSync(join(vault.repo, "work.txt"), text);
      vault.git("add", "work.txt");
      vault.git("commit", "--quiet", "--message", text);
    };
    vault.git("switch", "--quiet", "--create", "work");
    commit("there");
    vault.git("switch", "--quiet", "main");
    commit("here");
    vault.git("switch", "--quiet", "work");
    expect(() => vault.git("rebase", "--quiet", "main")).toThrow("work.txt");
    vault.git("rebase", "--skip");
    vault.git("switch", "--quiet", "main");
    writeFileSync(join(vault.repo, ".git/REBASE_HEAD"), `${vault.git("rev-parse", "work")}\n`);
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/THREE", "three"),
    );
    expect(merge(vault)).toBe(true);
    const before = vault.git("rev-parse", "HEAD");
    await resolve(vault);
    expect(vault.git("rev-parse", "HEAD^")).toBe(before);
  });

  it("leaves nothing to do once resolved", async () => {
    const vault = template.copy();
    const { plan } = await resolveMerge(
      vault.machine,
      { root: vault.root },
      { note: () => {} },
      {
        chooseOlder: async () => false,
        confirm: async () => {},
        progress: () => {},
      },
    );
    expect(plan).toBeUndefined();
  });
});

describe("an owner who was removed on one side", () => {
  it("could read what the other side set meanwhile, and the key of an agent that it added", async () => {
    const vault = template.copy();
    await vault.change(async (session) => {
      const { owner } = await newOwner(session, "bea");
      return planAddOwner(session, owner, () => {});
    });
    await diverge(
      vault,
      (v) => v.change(async (session) => (await planRemoveOwner(session, "bea", () => {})).plan),
      async (v) => {
        await v.set("web/ONE", "new");
        await v.set("web/THREE", "three");
        await v.addAgent("late");
      },
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect(await exposed(vault)).toEqual(
      ["db/ONE", "db/TWO", "web/ONE", "web/THREE", "web/TWO"].map((ref) => `${ref} bea`),
    );
    const { vault: seen } = await vault.owner();
    expect(seen.agents().map(({ name, exposedTo }) => [name, exposedTo?.map(({ owner }) => owner)])).toEqual(
      ["crawler", "late", "stays", "writer"].map((name) => [name, ["bea"]]),
    );
    expect(await seenBy(vault, "stays", "web/THREE")).toBe("three");
  });
});

describe("an owner's key that was replaced on one side", () => {
  it("is not the one that the other side sealed to: check says so, resolve seals to the new one", async () => {
    const vault = template.copy();
    const [old, fresh] = [join(tempFolder(), "bea.key"), join(tempFolder(), "bea-new.key")];
    await vault.change(async (session) => {
      const { owner, keyFile } = await newOwner(session, "bea");
      return { ...(await planAddOwner(session, owner, () => {})), keyFile: { path: old, text: keyFile } };
    });
    const asBea = { root: vault.root, ownerKeyFile: old, commit: true, doing: "test" };
    await diverge(
      vault,
      (v) =>
        operate(v.machine, asBea, { note: () => {} }, async (session) => {
          const { plan, keyFile } = await planRekeyOwner(session, () => {});
          return { ...plan, keyFile: { path: fresh, text: keyFile } };
        }),
      async (v) => {
        await v.addAgent("late");
        await v.set("fresh/ONE", "one");
        await v.grant("late", "fresh");
      },
    );
    const before = await exposed(vault);
    expect(merge(vault)).toBe(true);
    expect(await problems(vault)).toEqual([
      "sealed-owners groups/fresh/group.json",
      "sealed-owners agents/late/agent.json",
    ]);
    await resolve(vault);
    const bea = await OwnerSession.open(vault.machine, vault.root, fresh);
    expect(await openGroup(bea.vault.group("fresh" as never), bea.identity)).toBeDefined();
    expect(await codeOf(() => openEscrow(bea.vault.agent("late" as never), bea.identity))).toBeUndefined();
    expect(await exposed(vault)).toEqual([...before, "fresh/ONE bea"].sort());
    const oldKey = keyFingerprint(SigningKey.derive(readKeyFile(old).identity).verifyKey);
    expect(bea.vault.agent("late" as never).exposedTo?.map(({ key }) => key)).toEqual([oldKey]);
    expect(bea.vault.groups().map(({ name, epoch }) => `${name} ${epoch}`)).toEqual([
      "db 2",
      "fresh 2",
      "web 2",
    ]);
    expect(await seenBy(vault, "late", "fresh/ONE")).toBe("one");
  });
});

describe("owners that both sides changed", () => {
  it("are those that neither took out, and everything is sealed anew to them", async () => {
    const vault = template.copy();
    const addOwner = (v: TestVault, name: string) =>
      v.change(async (session) => planAddOwner(session, (await newOwner(session, name)).owner, () => {}));
    await addOwner(vault, "bea");
    const elsewhere = vault.copy();
    elsewhere.passTime(1000);
    await diverge(
      vault,
      (v) => v.change(async (session) => (await planRemoveOwner(session, "bea", () => {})).plan),
      async () => {
        await addOwner(elsewhere, "cid");
        await elsewhere.set("web/THREE", "three");
        vault.git("fetch", "--quiet", elsewhere.repo, "main");
        vault.git("reset", "--quiet", "--hard", "FETCH_HEAD");
      },
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    const { vault: seen } = await vault.owner();
    expect(seen.record.owners.map(({ name }) => name)).toEqual(["owner", "cid"]);
    expect(seen.groups().map(({ epoch }) => epoch)).toEqual([3, 3]);
    expect(await seenBy(vault, "stays", "web/THREE")).toBe("three");
    expect(await exposed(vault)).toEqual(
      ["db/ONE", "db/TWO", "web/ONE", "web/THREE", "web/TWO"].map((ref) => `${ref} bea`),
    );
  });
});

describe("an owner's key that was replaced on one side, and owners that the other changed", () => {
  it("are followed to the new key, and everything is sealed anew", async () => {
    const vault = template.copy();
    const key = join(tempFolder(), "bea.key");
    await vault.change(async (session) => {
      const { owner, keyFile } = await newOwner(session, "bea");
      return { ...(await planAddOwner(session, owner, () => {})), keyFile: { path: key, text: keyFile } };
    });
    const elsewhere = vault.copy();
    elsewhere.passTime(1000);
    await diverge(
      vault,
      (v) => v.change(async (s) => planAddOwner(s, (await newOwner(s, "cid")).owner, () => {})),
      async () => {
        const asBea = { root: elsewhere.root, ownerKeyFile: key, commit: true, doing: "test" };
        await operate(elsewhere.machine, asBea, { note: () => {} }, async (session) => {
          return (await planRekeyOwner(session, () => {})).plan;
        });
        vault.git("fetch", "--quiet", elsewhere.repo, "main");
        vault.git("reset", "--quiet", "--hard", "FETCH_HEAD");
      },
    );
    const { vault: before } = await elsewhere.owner();
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    const { vault: seen } = await vault.owner();
    expect(seen.record.owners.map(({ name }) => name).sort()).toEqual(["bea", "cid", "owner"]);
    const beas = (of: typeof seen) => of.record.owners.find(({ name }) => name === "bea")?.verifyKey;
    expect(beas(seen)).toBe(beas(before));
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("web-ONE");
  });
});

describe("a conflict", () => {
  it("of two values keeps the newer, or the older where that is asked for, and says which is gone", async () => {
    for (const olderWanted of [false, true]) {
      const vault = template.copy();
      await diverge(
        vault,
        (v) => v.set("web/ONE", "ours, set later"),
        (v) => v.set("web/ONE", "theirs"),
      );
      expect(merge(vault)).toBe(false);
      expect(await codeOf(() => vault.readAs("stays", "web/ONE"))).toBe("record-invalid");
      const [note] = await resolve(vault, olderWanted);
      expect(note).toMatch(/^web\/ONE was set on both sides/);
      expect(await seenBy(vault, "stays", "web/ONE")).toBe(olderWanted ? "theirs" : "ours, set later");
    }
  });

  it("of a new value and a new group key keeps the value, for those who remain", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/ONE", "new"),
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("new");
    expect(await seenBy(vault, "stays", "web/TWO")).toBe("web-TWO");
    expect(await seenBy(vault, "crawler", "web/ONE")).toBe("not-granted");
    expect(await exposed(vault)).toEqual(["web/ONE crawler", "web/TWO crawler"]);
  });

  it("of two revokes in a group leaves neither, under a fresh key that neither side had", async () => {
    const vault = template.copy();
    await vault.grant("writer", "web");
    const before = vault.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      async () => {
        await before.revoke("stays", "web");
        vault.git("fetch", "--quiet", before.repo, "main");
        vault.git("reset", "--quiet", "--hard", "FETCH_HEAD");
      },
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    for (const agent of ["crawler", "stays"])
      expect(await seenBy(vault, agent, "web/ONE")).toBe("not-granted");
    expect(await seenBy(vault, "writer", "web/ONE")).toBe("web-ONE");
    const group = (await vault.owner()).vault.group("web" as never);
    expect(group.epoch).toBe(3);
    expect((await exposed(vault)).sort()).toEqual([
      "web/ONE crawler",
      "web/ONE stays",
      "web/TWO crawler",
      "web/TWO stays",
    ]);
  });

  it("of two keys that a group got notes who was given the one before on the side that set no value (promise 7)", async () => {
    const vault = template.copy();
    const elsewhere = vault.copy();
    const forAWhile = async (v: TestVault, agent: string) => {
      await v.grant(agent, "db");
      await v.revoke(agent, "db");
    };
    await diverge(
      vault,
      async (v) => {
        v.passTime(60_000);
        await v.set("db/ONE", "set beside a grant that was unknown here");
        await forAWhile(v, "crawler");
      },
      async () => {
        await forAWhile(elsewhere, "writer");
        vault.git("fetch", "--quiet", elsewhere.repo, "main");
        vault.git("reset", "--quiet", "--hard", "FETCH_HEAD");
      },
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect((await exposed(vault)).sort()).toEqual(
      ["ONE crawler", "ONE writer", "TWO crawler", "TWO writer"].map((reader) => `db/${reader}`),
    );
  });

  it("of a revoke and a new expiry of the same grant is a revoke", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.grant("crawler", "web"),
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect(await seenBy(vault, "crawler", "web/ONE")).toBe("not-granted");
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("web-ONE");
  });

  it("of a removed secret and a new value keeps the secret", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.unset("web/ONE"),
      (v) => v.set("web/ONE", "wanted"),
    );
    expect(merge(vault)).toBe(false);
    expect(await resolve(vault)).toEqual(["web/ONE was removed on one side and set on the other: it stays"]);
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("wanted");
  });

  it("of a removed secret and a group's new key removes it", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.unset("web/ONE"),
    );
    expect(merge(vault)).toBe(false);
    expect(await resolve(vault)).toEqual(["web/ONE was removed on one side: it is removed"]);
    expect(await codeOf(() => vault.readAs("stays", "web/ONE"))).toBe("unknown-secret");
  });

  it("of two groups of one name, made on both sides, is one group with the secrets of both", async () => {
    const vault = template.copy();
    const both = async (v: TestVault, name: string) => {
      await v.set(`fresh/${name}`, `value-${name}`);
      await v.grant("stays", "fresh");
    };
    await diverge(
      vault,
      (v) => both(v, "A"),
      (v) => both(v, "B"),
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    for (const name of ["A", "B"])
      expect(await seenBy(vault, "stays", `fresh/${name}`)).toBe(`value-${name}`);
  });

  it("of two agents of one name keeps the one made last, which alone opens what both were granted", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      async (v) => {
        const other = template.copy();
        await other.addAgent("new");
        await v.addAgent("new").catch(() => {});
        expect(await codeOf(() => v.grant("new", "db"))).toBe(undefined);
      },
      async (v) => {
        await v.change(async (session) => {
          const { planAddAgent } = await import("../../src/admin/plans/add-agent.ts");
          return (await planAddAgent(session, "new" as never, undefined)).plan;
        });
        await v.grant("new", "web");
      },
    );
    expect(merge(vault)).toBe(false);
    const [note] = await resolve(vault);
    expect(note).toMatch(/^agent new was given a key on both sides/);
    expect(await seenBy(vault, "new", "db/ONE")).toBe("db-ONE");
    expect(await seenBy(vault, "new", "web/ONE")).toBe("web-ONE");
  });

  it.each([
    ["made", "new", (s: OwnerSession) => planAddAgent(s, "new" as never, undefined)],
    [
      "made in place of another",
      "crawler",
      (s: OwnerSession) => planRekeyAgent(s, "crawler" as never, () => {}),
    ],
  ])(
    "of two keys %s for one agent leaves nothing to the one that is not kept (promise 7)",
    async (_, agent, plan) => {
      const vault = template.copy();
      let keyFile = "";
      const withKey = async (v: TestVault) => {
        await v.change(async (session) => {
          const planned = await plan(session);
          keyFile = planned.keyFile;
          return planned.plan;
        });
        await v.grant(agent, "web");
      };
      let dropped = "";
      await diverge(
        vault,
        async (v) => {
          dropped = keyFile;
          await withKey(v);
        },
        withKey,
      );
      expect(merge(vault)).toBe(false);
      await resolve(vault);
      const { identity } = parseKeyFile(dropped, "the key that is not kept");
      const grant = JSON.parse(vault.git("show", `theirs:.vault/agents/${agent}/grants/web.json`));
      const group = await openGrant(grant, identity);
      await vault.set("web/THREE", "three");
      const { vault: seen } = await vault.owner();
      const [one, three] = ["ONE", "THREE"].map((name) => seen.secret(parseSecretRef(`web/${name}`)));
      expect(await codeOf(() => openSecret(three!, group))).toBe("not-for-identity");
      const reader = keyFingerprint(SigningKey.derive(identity).verifyKey);
      expect(one!.exposedTo.map(({ key }) => key)).toContain(reader);
      expect(three!.exposedTo).toEqual([]);
    },
  );

  it("that someone made of a version which the other side has gone past changes nothing (A5)", async () => {
    const vault = template.copy();
    const group = "groups/web/group.json" as RecordPath;
    const withRules = (policy: GroupRecord["policy"]) =>
      vault.change(async (session) => {
        const { vault: _, serial: __, signatures: ___, ...fields } = session.vault.group("web" as never);
        const record = session.sign<GroupRecord>(group, { ...fields, policy });
        return { event: { action: "set" }, message: "rules", writes: [{ path: group, record }] };
      });
    vault.git("branch", "theirs");
    await vault.set("web/THREE", "burnt");
    await vault.revoke("crawler", "web");
    await withRules({ reveal: true });
    await vault.set("web/ONE", "second");
    const old = vault.git("rev-parse", "HEAD");
    await vault.unset("web/THREE");
    await withRules({});
    await vault.grant("crawler", "web");
    await vault.set("web/ONE", "web-ONE");
    vault.git("switch", "--quiet", "theirs");
    vault.git("checkout", "--quiet", old, "--", ".vault");
    vault.git("commit", "--quiet", "--message", "looks harmless");
    vault.git("switch", "--quiet", "main");
    expect(merge(vault)).toBe(false);
    expect(await resolve(vault)).toEqual([]);
    expect(await codeOf(() => vault.readAs("stays", "web/THREE"))).toBe("unknown-secret");
    expect((await vault.owner()).vault.group("web" as never).policy).toEqual({});
    expect(await seenBy(vault, "crawler", "web/ONE")).toBe("web-ONE");
  });

  it("of what one side says of a value and a group's new key on the other keeps both", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/ONE", "web-ONE", { env: "FIRST", description: "the first", deliver: "file" }),
    );
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    const { env, description, deliver } = (await vault.owner()).vault.secret(parseSecretRef("web/ONE"));
    expect({ env, description, deliver }).toEqual({
      env: "FIRST",
      description: "the first",
      deliver: "file",
    });
    expect(await exposed(vault)).toEqual(["web/ONE crawler", "web/TWO crawler"]);
  });

  it("is resolved also where the two sides have met before, and git has no one base", async () => {
    const vault = template.copy();
    const mergeBranch = (name: string) => {
      try {
        vault.git("merge", "--quiet", "--no-edit", name);
      } catch {
        // A conflict.
      }
    };
    await diverge(
      vault,
      (v) => v.set("web/ONE", "a"),
      (v) => v.set("web/ONE", "b"),
    );
    vault.git("branch", "main-before");
    mergeBranch("theirs");
    await resolve(vault);
    vault.git("switch", "--quiet", "theirs");
    mergeBranch("main-before");
    vault.git("checkout", "--quiet", "main", "--", ".vault");
    vault.git("commit", "--quiet", "--all", "--message", "merged here too");
    await vault.set("web/ONE", "later there");
    vault.git("switch", "--quiet", "main");
    await vault.set("web/ONE", "later here");
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("later here");
  });

  it("may be resolved and the merge be given up all the same", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.revoke("crawler", "web"),
      (v) => v.set("web/ONE", "new"),
    );
    expect(merge(vault)).toBe(false);
    await resolveMerge(
      vault.machine,
      { root: vault.root },
      { note: () => {} },
      { chooseOlder: async () => false, confirm: async () => {}, progress: () => {} },
    );
    vault.git("merge", "--abort");
    await vault.set("web/THREE", "three");
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("new");
  });

  it("of a removal that was signed again and an agent that was made anew is the agent", async () => {
    const vault = template.copy();
    await vault.removeAgent("writer");
    const elsewhere = vault.copy();
    elsewhere.passTime(1000);
    const path = "agents/writer/agent.json" as never;
    await diverge(
      vault,
      (v) => v.change(async (session) => (await planAddAgent(session, "writer" as never, undefined)).plan),
      async (v) => {
        await elsewhere.change(async (session) => {
          const { vault: _, serial: __, signatures: ___, ...fields } = session.vault.find(path)!;
          const record = session.sign(path, fields as never);
          return { event: { action: "resolve" }, message: "again", writes: [{ path, record }] };
        });
        v.git("fetch", "--quiet", elsewhere.repo, "main");
        v.git("reset", "--quiet", "--hard", "FETCH_HEAD");
      },
    );
    expect(merge(vault)).toBe(false);
    expect(await resolve(vault)).toEqual([]);
    expect((await vault.owner()).vault.findAgent("writer" as never)?.type).toBe("agent");
  });

  it("in a rebase of what a later commit changes again is refused, with the way that there is", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      async (v) => {
        for (const value of ["second", "third"]) await v.set("web/ONE", value);
      },
      (v) => v.set("web/ONE", "there"),
    );
    expect(() => vault.git("rebase", "--quiet", "theirs")).toThrow("ONE.json");
    const before = vault.git("status", "--porcelain");
    await expect(resolve(vault)).rejects.toMatchObject({
      code: "record-rollback",
      hint: expect.stringContaining("git rebase --abort"),
    });
    expect(vault.git("status", "--porcelain")).toBe(before);
    vault.git("rebase", "--abort");
    expect(merge(vault)).toBe(false);
    await resolve(vault);
    expect(await seenBy(vault, "stays", "web/ONE")).toBe("third");
  });

  it("with a side that no owner signed is refused, and nothing is written (A1, A9)", async () => {
    const vault = template.copy();
    await diverge(
      vault,
      (v) => v.set("web/ONE", "ours"),
      async (v) => {
        const file = join(v.root, "groups/web/secrets/ONE.json");
        writeFileSync(file, readFileSync(file, "utf8").replace(/"serial": 1/, '"serial": 2'));
        v.git("commit", "--quiet", "--all", "--message", "forged");
      },
    );
    expect(merge(vault)).toBe(false);
    const before = vault.git("status", "--porcelain");
    expect(await codeOf(() => resolve(vault))).toBe("record-signature");
    expect(vault.git("status", "--porcelain")).toBe(before);
  });
});

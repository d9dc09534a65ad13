import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { beforeEach, describe, expect, it } from "vitest";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planRevoke } from "../../src/admin/plans/revoke.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { openGroup, openSecret } from "../../src/vault/open-sealed.ts";
import { timestamp } from "../../src/vault/time.ts";
import { VaultError } from "../../src/vault-error.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  for (const agent of ["crawler", "stays", "other"]) await made.addAgent(agent);
  for (const name of ["A", "B", "C"]) await made.set(`stripe/${name}`, `sk_live_${name}_value`);
  await made.set("mail/PASSWORD", "mail-password");
  for (const agent of ["crawler", "stays"]) await made.grant(agent, "stripe");
  await made.grant("crawler", "mail");
  await made.set("stripe/GONE", "sk_live_gone");
  await made.unset("stripe/GONE");
});
let vault: TestVault;
beforeEach(() => {
  vault = template.copy();
});

const load = (path: string) => JSON.parse(readFileSync(join(vault.root, path), "utf8"));
const identityIn = (keyFile: string) =>
  keyFile.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY")) ?? "";
const changedBy = (commit: string | undefined) =>
  vault
    .git("show", "--format=", "--name-only", commit ?? "")
    .split("\n")
    .sort();

async function opensWith(identity: string, base64: string): Promise<string | undefined> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(Buffer.from(base64, "base64")).then(
    (plaintext) => Buffer.from(plaintext).toString("utf8"),
    () => undefined,
  );
}

describe("every ciphertext", () => {
  it("opens with the age-encryption package alone, from the bytes on disk and the key file's key", async () => {
    const agent = identityIn(readFileSync(vault.keyPath("crawler"), "utf8"));
    const owner = identityIn(readFileSync(vault.ownerKeyPath(), "utf8"));
    const grant = JSON.parse(
      (await opensWith(agent, load("agents/crawler/grants/stripe.json").sealed)) ?? "null",
    );
    expect(grant).toMatchObject({ type: "grant", agent: "crawler", group: "stripe", epoch: 1 });
    const secret = JSON.parse(
      (await opensWith(grant.identity, load("groups/stripe/secrets/A.json").sealed)) ?? "null",
    );
    expect(secret).toMatchObject({ type: "secret", group: "stripe", name: "A", value: "sk_live_A_value" });
    const group = JSON.parse((await opensWith(owner, load("groups/stripe/group.json").sealed)) ?? "null");
    expect(group).toMatchObject({ type: "group", name: "stripe", identity: grant.identity });
    const escrow = JSON.parse((await opensWith(owner, load("agents/crawler/agent.json").escrow)) ?? "null");
    expect(escrow.keyFile).toBe(readFileSync(vault.keyPath("crawler"), "utf8"));
  });
});

describe("grant", () => {
  it("adds one file whatever the group's size", async () => {
    const { commit } = await vault.grant("other", "stripe");
    expect(changedBy(commit)).toEqual([".vault/agents/other/grants/stripe.json"]);
    expect(await vault.readAs("other", "stripe/B")).toBe("sk_live_B_value");
  });

  it("again keeps the time it was first granted, so that exposures are not understated", async () => {
    const { grantedAt } = load("agents/crawler/grants/stripe.json");
    await vault.grant("crawler", "stripe");
    expect(load("agents/crawler/grants/stripe.json").grantedAt).toBe(grantedAt);
  });
});

describe("revoke (promise 7)", () => {
  it("seals everything again so that the revoked key opens nothing written since", async () => {
    const old = load("agents/crawler/grants/stripe.json");
    const agent = identityIn(readFileSync(vault.keyPath("crawler"), "utf8"));
    const { identity } = JSON.parse((await opensWith(agent, old.sealed)) ?? "{}");
    const { commit } = await vault.revoke("crawler", "stripe");
    await vault.set("stripe/D", "sk_live_D_value");
    for (const path of changedBy(commit)) {
      const record = load(path.replace(".vault/", ""));
      if (record.sealed === undefined) continue;
      expect(await opensWith(agent, record.sealed)).toBeUndefined();
      expect(await opensWith(identity, record.sealed)).toBeUndefined();
    }
    expect(await opensWith(identity, load("groups/stripe/secrets/D.json").sealed)).toBeUndefined();
  });

  it("leaves every value, value id and set time as they were, for the owner and the agents that remain", async () => {
    const before = ["A", "B", "C"].map((name) => load(`groups/stripe/secrets/${name}.json`));
    await vault.revoke("crawler", "stripe");
    const { vault: verified, identity } = await vault.owner();
    const group = await openGroup(verified.group(parseGroupName("stripe")), identity);
    for (const { name, valueId, setAt } of before) {
      const record = verified.secret(parseSecretRef(`stripe/${name}`));
      expect(record).toMatchObject({ valueId, setAt, epoch: 2 });
      expect((await openSecret(record, group)).reveal()).toBe(`sk_live_${name}_value`);
      expect(await vault.readAs("stays", `stripe/${name}`)).toBe(`sk_live_${name}_value`);
    }
  });

  it("touches the group's own records and the two grants only, in one commit", async () => {
    const head = vault.git("rev-parse", "HEAD");
    const { commit } = await vault.revoke("crawler", "stripe");
    expect(vault.git("rev-parse", `${commit}~1`)).toBe(head);
    expect(changedBy(commit)).toEqual([
      ".vault/agents/crawler/grants/stripe.json",
      ".vault/agents/stays/grants/stripe.json",
      ".vault/groups/stripe/group.json",
      ".vault/groups/stripe/secrets/A.json",
      ".vault/groups/stripe/secrets/B.json",
      ".vault/groups/stripe/secrets/C.json",
    ]);
  });

  it("says which values the agent could have read, with which key, since when, until each has a new value", async () => {
    const agent = (await vault.owner()).vault.agent(parseAgentName("crawler"));
    const { grantedAt } = load("agents/crawler/grants/stripe.json");
    await vault.set("stripe/B", "sk_live_B_later");
    const { setAt } = load("groups/stripe/secrets/B.json");
    await vault.revoke("crawler", "stripe");
    const key = keyFingerprint(agent.verifyKey);
    expect(load("groups/stripe/secrets/A.json").exposedTo).toEqual([
      { agent: "crawler", key, since: grantedAt },
    ]);
    expect(load("groups/stripe/secrets/B.json").exposedTo).toEqual([{ agent: "crawler", key, since: setAt }]);
    await vault.revoke("stays", "stripe");
    expect(load("groups/stripe/secrets/A.json").exposedTo).toHaveLength(2);
    await vault.set("stripe/A", "sk_live_A_new");
    expect(load("groups/stripe/secrets/A.json").exposedTo).toEqual([]);
    expect(load("groups/stripe/secrets/B.json").exposedTo).toHaveLength(2);
  });

  it("takes along agents whose grant has expired, and says what they could have read", async () => {
    const agent = parseAgentName("other");
    const soon = timestamp(vault.machine.now() + 1000);
    await vault.change((session) => planGrant(session, agent, parseGroupName("stripe"), soon));
    vault.passTime(2000);
    await vault.revoke("crawler", "stripe");
    expect(load("agents/other/grants/stripe.json")).toMatchObject({ type: "tombstone", of: "grant" });
    const agents = load("groups/stripe/secrets/A.json").exposedTo.map(
      (exposure: { agent: string }) => exposure.agent,
    );
    expect(agents.sort()).toEqual(["crawler", "other"]);
  });

  it("of what was revoked already writes nothing, and says again what is to rotate", async () => {
    await vault.revoke("crawler", "stripe");
    await vault.set("stripe/B", "sk_live_B_new");
    const head = vault.git("rev-parse", "HEAD");
    const names = [parseAgentName("crawler"), parseGroupName("stripe")] as const;
    const { plan, exposed } = await planRevoke(await vault.owner(), ...names, () => {});
    expect(plan.writes).toEqual([]);
    expect(exposed.map(({ name }) => name)).toEqual(["A", "C"]);
    expect((await vault.revoke("crawler", "stripe")).commit).toBeUndefined();
    expect(vault.git("rev-parse", "HEAD")).toBe(head);
  });

  it("refuses for an agent that has no grant", async () => {
    await expect(vault.revoke("other", "stripe")).rejects.toThrow(VaultError);
  });
});

describe("set", () => {
  it("mints a value id with each new value", async () => {
    const before = load("groups/stripe/secrets/A.json");
    expect(await vault.set("stripe/A", "sk_live_A_new")).toBe("new value");
    const after = load("groups/stripe/secrets/A.json");
    expect(after.valueId).not.toBe(before.valueId);
    expect(after.setAt > before.setAt).toBe(true);
    expect(after.serial).toBeGreaterThan(before.serial);
  });

  it("of the value it already has is no rotation: the list of who could read it stays", async () => {
    await vault.revoke("crawler", "stripe");
    const before = load("groups/stripe/secrets/A.json");
    expect(await vault.set("stripe/A", "sk_live_A_value", { description: "now described" })).toBe(
      "same value",
    );
    const { valueId, setAt, exposedTo } = before;
    expect(load("groups/stripe/secrets/A.json")).toMatchObject({
      valueId,
      setAt,
      exposedTo,
      description: "now described",
    });
  });

  it("of the value it already has, with nothing else that changes, writes and commits nothing", async () => {
    const description = "what it is for";
    await vault.set("stripe/A", "sk_live_A_value", {
      description,
      expiresAt: "2099-01-01T00:00:00.000Z" as never,
    });
    const before = [vault.git("rev-parse", "HEAD"), load("groups/stripe/secrets/A.json")];
    expect(await vault.set("stripe/A", "sk_live_A_value")).toBe("same value");
    expect(await vault.set("stripe/A", "sk_live_A_value", { description })).toBe("same value");
    expect([vault.git("rev-parse", "HEAD"), load("groups/stripe/secrets/A.json")]).toEqual(before);
  });

  it("keeps what is not said again, but for the expiry, which is the value's", async () => {
    await vault.set("stripe/A", "one-value", {
      env: "STRIPE",
      description: "text",
      expiresAt: "2099-01-01T00:00:00.000Z" as never,
    });
    await vault.set("stripe/A", "two-value");
    expect(load("groups/stripe/secrets/A.json")).toMatchObject({ env: "STRIPE", description: "text" });
    expect(load("groups/stripe/secrets/A.json").expiresAt).toBeUndefined();
  });

  it.each([
    ["an empty value", "stripe/X", "", {}, "bad-value"],
    ["a value over 1 MiB", "stripe/X", Buffer.alloc(1_048_577, "x"), {}, "bad-value"],
    ["a NUL for a variable", "stripe/X", "a\0b", {}, "bad-value"],
    ["bytes that are no text for a variable", "stripe/X", Buffer.from([0xff, 0xfe]), {}, "bad-value"],
    ["a variable that loads code", "stripe/LD_PRELOAD", "x.so", {}, "unsafe-name"],
    ["a variable that loads code, by --env", "stripe/X", "x.so", { env: "NODE_OPTIONS" }, "unsafe-name"],
    ["a name that differs in letter case only", "stripe/a", "value", {}, "bad-name"],
    ["a name that differs in letter case only from a removed one", "stripe/gone", "value", {}, "bad-name"],
  ])("refuses %s, and nothing changes", async (_, ref, value, options, code) => {
    await expect(vault.set(ref, value, options)).rejects.toMatchObject({ code });
    expect(vault.git("status", "--porcelain", "--untracked-files=all")).toBe("");
  });

  it.each([
    ["1 MiB", Buffer.alloc(1_048_576, "x")],
    ["1 MiB of control characters", Buffer.alloc(1_048_576, 1)],
    ["every byte", Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ["a byte order mark", Buffer.from("\ufefftext")],
    ["line breaks", Buffer.from("a\r\nb\n")],
  ])("keeps %s byte for byte", async (_, value) => {
    await vault.set("files/BLOB", value, { deliver: "file" });
    const { vault: verified, identity } = await vault.owner();
    const group = await openGroup(verified.group(parseGroupName("files")), identity);
    const opened = await openSecret(verified.secret(parseSecretRef("files/BLOB")), group);
    expect(opened.bytes().equals(value)).toBe(true);
  });
});

describe("remove-agent", () => {
  it("gives new keys to every group the agent had, and leaves tombstones", async () => {
    await vault.removeAgent("crawler");
    expect(load("agents/crawler/agent.json")).toMatchObject({
      type: "tombstone",
      of: "agent",
      name: "crawler",
    });
    expect(load("agents/crawler/grants/mail.json")).toMatchObject({ type: "tombstone", of: "grant" });
    expect(load("groups/stripe/group.json").epoch).toBe(2);
    expect(load("groups/mail/group.json").epoch).toBe(2);
    expect(await vault.readAs("stays", "stripe/A")).toBe("sk_live_A_value");
    await expect(vault.readAs("crawler", "stripe/A")).rejects.toMatchObject({ code: "unknown-agent" });
  });

  it("lets the name be used again, by another identity without the old grants", async () => {
    const escrowed = load("agents/crawler/agent.json");
    await vault.removeAgent("crawler");
    const old = readFileSync(vault.keyPath("crawler"), "utf8");
    await expect(vault.addAgent("crawler")).rejects.toMatchObject({ code: "exists" });
    expect(readFileSync(vault.keyPath("crawler"), "utf8")).toBe(old);
    expect(escrowed.name).toBe("crawler");
  });
});

describe("add-agent", () => {
  it("puts the agent's key file in escrow for the owner", async () => {
    const owner = identityIn(readFileSync(vault.ownerKeyPath(), "utf8"));
    const sealed = JSON.parse((await opensWith(owner, load("agents/stays/agent.json").escrow)) ?? "null");
    const keyFile = readFileSync(vault.keyPath("stays"), "utf8");
    expect(sealed).toEqual({ type: "agent", vault: vault.id, name: "stays", keyFile });
  });

  it("refuses a name that is taken", async () => {
    await expect(vault.addAgent("crawler")).rejects.toMatchObject({ code: "exists" });
  });
});

describe("unset", () => {
  it("leaves a tombstone, and the name can be set again", async () => {
    await vault.unset("stripe/A");
    expect(load("groups/stripe/secrets/A.json")).toMatchObject({
      type: "tombstone",
      of: "secret",
      name: "A",
    });
    await expect(vault.readAs("stays", "stripe/A")).rejects.toMatchObject({ code: "unknown-secret" });
    const { serial } = load("groups/stripe/secrets/A.json");
    expect(await vault.set("stripe/A", "sk_live_A_back")).toBe("new");
    expect(load("groups/stripe/secrets/A.json").serial).toBeGreaterThan(serial);
  });
});

describe("serials", () => {
  it("grow also where the clock stands still or goes back", async () => {
    vault.passTime(-86_400_000);
    const before = load("groups/stripe/secrets/A.json").serial;
    await vault.set("stripe/A", "sk_live_A_new");
    expect(load("groups/stripe/secrets/A.json").serial).toBe(before + 1);
  });
});

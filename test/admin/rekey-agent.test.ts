import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openEscrow } from "../../src/admin/escrow.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { parseAgentName, parseGroupName } from "../../src/vault/names.ts";
import { openGrant } from "../../src/vault/open-sealed.ts";
import { agentPath } from "../../src/vault/paths.ts";
import { encodeRecord, signRecord } from "../../src/vault/record.ts";
import { timestamp } from "../../src/vault/time.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

const crawler = parseAgentName("crawler");
const template = await TestVault.template("classic", async (made) => {
  for (const agent of ["crawler", "stays"]) await made.addAgent(agent);
  for (const ref of ["stripe/A", "stripe/B", "mail/PASSWORD"]) await made.set(ref, `value of ${ref}`);
  await made.set("cloud/KEY", "never the crawler's");
  for (const agent of ["crawler", "stays"]) await made.grant(agent, "stripe");
  await made.grant("crawler", "mail");
});
let vault: TestVault;
beforeEach(() => {
  vault = template.copy();
});

const load = (path: string) => JSON.parse(readFileSync(join(vault.root, path), "utf8"));

describe("rekey of an agent", () => {
  it("lets the new key read what the old one read, and the old one nothing that is written since", async () => {
    const oldKey = parseKeyFile(readFileSync(vault.keyPath("crawler"), "utf8"), "test").identity;
    const old = await vault.rekey("crawler");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("value of stripe/A");
    expect(await vault.readAs("crawler", "mail/PASSWORD")).toBe("value of mail/PASSWORD");
    expect(await vault.readAs("stays", "stripe/A")).toBe("value of stripe/A");
    const grant = (await vault.owner()).vault.grants(crawler)[0]!;
    expect(await codeOf(() => openGrant(grant, oldKey))).toBe("not-for-identity");
    const withOld = vault.elsewhere({ VAULT_RUN_KEY: old });
    await expect(vault.readAs("crawler", "stripe/A", withOld)).rejects.toMatchObject({
      code: "wrong-key",
      message: "agent crawler was given a new key, and this is an old one: VAULT_RUN_KEY",
    });
  });

  it("gives new keys to every group the agent has and to no other", async () => {
    await vault.rekey("crawler");
    expect(["stripe", "mail", "cloud"].map((group) => load(`groups/${group}/group.json`).epoch)).toEqual([
      2, 2, 1,
    ]);
  });

  it("says which values the old key could have read, by that key's fingerprint, until each has a new value", async () => {
    const key = keyFingerprint((await vault.owner()).vault.agent(crawler).verifyKey);
    const { grantedAt } = load("agents/crawler/grants/stripe.json");
    await vault.rekey("crawler");
    expect(load("groups/stripe/secrets/A.json").exposedTo).toEqual([
      { agent: "crawler", key, since: grantedAt },
    ]);
    expect(load("groups/cloud/secrets/KEY.json").exposedTo).toEqual([]);
    await vault.set("stripe/A", "a new value");
    expect(load("groups/stripe/secrets/A.json").exposedTo).toEqual([]);
    expect(load("groups/stripe/secrets/B.json").exposedTo).toHaveLength(1);
  });

  it("begins the new key's access now, so that a later exposure of it is not overstated; the expiry stays", async () => {
    const expiresAt = timestamp(vault.machine.now() + 86_400_000);
    await vault.change((session) => planGrant(session, crawler, parseGroupName("stripe"), expiresAt));
    const before = load("agents/crawler/grants/stripe.json");
    const stays = load("agents/stays/grants/stripe.json");
    await vault.rekey("crawler");
    const after = load("agents/crawler/grants/stripe.json");
    expect(after.expiresAt).toBe(expiresAt);
    expect(after.grantedAt > before.grantedAt).toBe(true);
    expect(load("agents/stays/grants/stripe.json").grantedAt).toBe(stays.grantedAt);
  });

  it("refuses an agent that was removed", async () => {
    await vault.removeAgent("crawler");
    expect(await codeOf(() => vault.rekey("crawler"))).toBe("unknown-agent");
  });
});

describe("what is in escrow", () => {
  it("is the agent's key file as it was written, after a rekey the new one", async () => {
    const opened = async () => {
      const { vault: verified, identity } = await vault.owner();
      return openEscrow(verified.agent(crawler), identity);
    };
    expect(await opened()).toBe(readFileSync(vault.keyPath("crawler"), "utf8"));
    const old = await vault.rekey("crawler");
    expect(await opened()).toBe(readFileSync(vault.keyPath("crawler"), "utf8"));
    expect(await opened()).not.toBe(old);
  });

  it("is refused where it is not the identity that the record names", async () => {
    const session = await vault.owner();
    const { signatures: _, ...mixed } = {
      ...session.vault.agent(crawler),
      recipient: session.vault.agent(parseAgentName("stays")).recipient,
      serial: session.vault.agent(crawler).serial + 1,
    };
    const record = signRecord(mixed, session.signingKey);
    writeFileSync(join(vault.root, agentPath(crawler)), encodeRecord(record));
    const { vault: verified, identity } = await vault.owner();
    expect(await codeOf(() => openEscrow(verified.agent(crawler), identity))).toBe("sealed-context");
  });
});

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { prepareScratch } from "../../src/admin/apply.ts";
import { openEscrow, restoredKeyFile } from "../../src/admin/escrow.ts";
import { writeJournal } from "../../src/admin/journal.ts";
import { operate } from "../../src/admin/operate.ts";
import { makeCard, parseCard } from "../../src/admin/owner-card.ts";
import { besideKeyFile, OwnerSession } from "../../src/admin/owner-session.ts";
import type { Plan } from "../../src/admin/plan.ts";
import { newOwner, planAddOwner } from "../../src/admin/plans/add-owner.ts";
import { planRekeyOwner } from "../../src/admin/plans/rekey-owner.ts";
import { planRemoveOwner } from "../../src/admin/plans/remove-owner.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { Repository } from "../../src/git/repository.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { createKeyFile, parseKeyFile } from "../../src/vault/key-file.ts";
import { type Machine, stateFolder } from "../../src/vault/machine.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { openGroup } from "../../src/vault/open-sealed.ts";
import { VAULT_PATH } from "../../src/vault/paths.ts";
import { Pins } from "../../src/vault/pins.ts";
import { decodeRecord, encodeRecord, signRecord } from "../../src/vault/record.ts";
import type { Owner, VaultRecord } from "../../src/vault/schema.ts";
import { Secret } from "../../src/vault/secret.ts";
import { timestamp } from "../../src/vault/time.ts";
import { linkBytes } from "../../src/vault/trust.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

// Two owners of one vault: the one who made it, and bea. `bea` is her machine, `beaKey` her key file.

const nothing = () => {};
const template = await TestVault.template("classic", async (made) => {
  for (const agent of ["crawler", "gone"]) await made.addAgent(agent);
  for (const ref of ["stripe/A", "stripe/OLD", "mail/PASSWORD"]) await made.set(ref, `value of ${ref}`);
  await made.unset("stripe/OLD");
  for (const group of ["stripe", "mail"]) await made.grant("crawler", group);
  await made.revoke("crawler", "mail");
  await made.grant("gone", "mail");
  await made.removeAgent("gone");
});
let vault: TestVault;
let bea: Machine;
let beaKey: string;
beforeEach(() => {
  vault = template.copy();
  bea = vault.elsewhere();
  beaKey = join(tempFolder(), "bea.key");
});

const load = (path: string) => JSON.parse(readFileSync(join(vault.root, path), "utf8"));
const keyIn = (file: string) => parseKeyFile(readFileSync(file, "utf8"), file);

async function addBea(): Promise<void> {
  await vault.change(async (session) => {
    const { owner, keyFile } = await newOwner(session, "bea");
    return { ...(await planAddOwner(session, owner, nothing)), keyFile: { path: beaKey, text: keyFile } };
  });
}

function byBea(makePlan: (session: OwnerSession) => Promise<Plan>) {
  const options = { root: vault.root, ownerKeyFile: beaKey, commit: true, doing: "test" };
  return operate(bea, options, { note: nothing }, makePlan);
}

const asBea = () => OwnerSession.open(bea, vault.root, beaKey);

const setTo = (ref: string, value: string) => async (session: OwnerSession) => {
  const secret = new Secret(ref, Buffer.from(value));
  return (await planSet(session, parseSecretRef(ref), secret, { unsafeName: false })).plan;
};

const remove = (name: string) =>
  vault.change(async (session) => (await planRemoveOwner(session, name, nothing)).plan);

/** A new key for the first owner, put in the place of the old one. Resolves to the old one's file. */
async function rekeyOwner(): Promise<string> {
  const old = join(tempFolder(), "old.key");
  createKeyFile(old, readFileSync(vault.ownerKeyPath(), "utf8"));
  await vault.change(async (session) => {
    const { plan, keyFile } = await planRekeyOwner(session, nothing);
    writeFileSync(vault.ownerKeyPath(), keyFile);
    return plan;
  });
  return old;
}

/** vault.json as someone with this key would have it, over the one that is there. */
function forge(
  keyFile: string,
  change: (before: Pick<VaultRecord, "succession">, key: SigningKey) => Partial<VaultRecord>,
): void {
  const key = SigningKey.derive(keyIn(keyFile).identity);
  const { signatures: _, ...before }: VaultRecord = load("vault.json");
  const record = signRecord({ ...before, serial: before.serial + 1000, ...change(before, key) }, key);
  writeFileSync(join(vault.root, "vault.json"), encodeRecord(record));
}

function linkTo(to: SigningKey, signer: SigningKey): VaultRecord["succession"][number] {
  const link = { from: signer.verifyKey, to: to.verifyKey, at: timestamp(vault.machine.now()) };
  return { ...link, sig: signer.sign(linkBytes(vault.id, link)) };
}

/** Everyone whose signature stands in the vault. */
function signers(): Set<string> {
  const files = (readdirSync(vault.root, { recursive: true }) as string[]).filter((file) =>
    file.endsWith(".json"),
  );
  const keys = files.flatMap((file) => load(file).signatures.map(({ key }: { key: string }) => key));
  return new Set(keys);
}

describe("a second owner", () => {
  it("reads and changes everything, as the first one does afterwards, in turns", async () => {
    await addBea();
    const { vault: seen, identity } = await asBea();
    expect(seen.record.owners.map((owner) => owner.name)).toEqual(["owner", "bea"]);
    await openGroup(seen.group(parseGroupName("stripe")), identity);
    await openEscrow(seen.agent(parseAgentName("crawler")), identity);
    await byBea(setTo("stripe/A", "bea's value"));
    expect(await vault.readAs("crawler", "stripe/A")).toBe("bea's value");
    await vault.set("stripe/A", "the first one's value");
    await byBea(setTo("stripe/B", "bea's again"));
    expect(await vault.readAs("crawler", "stripe/A")).toBe("the first one's value");
  });

  it("gets no new group key made: what is sealed to groups and agents stays as it was, to the byte", async () => {
    const paths = ["groups/stripe/secrets/A.json", "agents/crawler/grants/stripe.json"];
    const before = paths.map((path) => readFileSync(join(vault.root, path), "utf8"));
    await addBea();
    expect(paths.map((path) => readFileSync(join(vault.root, path), "utf8"))).toEqual(before);
    expect(load("groups/stripe/group.json").epoch).toBe(1);
  });

  it("may sign the vault alone, also for agents that pinned only the first one", async () => {
    await addBea();
    const fresh = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("crawler"), "utf8") });
    await byBea(async (session) => {
      const { owner } = await newOwner(session, "cai");
      return planAddOwner(session, owner, nothing);
    });
    expect(new Set(load("vault.json").signatures.map(({ key }: never) => key))).toEqual(
      new Set([(await asBea()).signingKey.verifyKey]),
    );
    expect(await vault.readAs("crawler", "stripe/A", fresh)).toBe("value of stripe/A");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("value of stripe/A");
    await vault.set("stripe/A", "changed by the first one");
  });

  it("is refused under a name or key that is taken, and with an agent's key", async () => {
    await addBea();
    const session = await vault.owner();
    const { owner } = await newOwner(session, "cai");
    const [first] = session.vault.record.owners;
    const agent = session.vault.agent(parseAgentName("crawler"));
    const attempts = [
      { ...owner, name: "bea" },
      { ...owner, recipient: first!.recipient },
      { ...owner, verifyKey: first!.verifyKey },
      { ...owner, verifyKey: agent.verifyKey },
    ];
    const codes = attempts.map((attempt) => codeOf(() => planAddOwner(session, attempt, nothing)));
    expect(await Promise.all(codes)).toEqual(["exists", "exists", "exists", "wrong-key"]);
  });
});

describe("one owner too many, or one new key", () => {
  it.each<
    [string, (before: Pick<VaultRecord, "succession">, key: SigningKey) => Promise<Partial<VaultRecord>>]
  >([
    [
      "at most 64 owners",
      async () => {
        const others = Array.from({ length: 63 }, async (_, n): Promise<Owner> => {
          const identity = await generateIdentity("classic");
          const recipient = await recipientOf(identity);
          return { name: `owner-${n}`, recipient, verifyKey: SigningKey.derive(identity).verifyKey };
        });
        return { owners: [(await vault.owner()).self, ...(await Promise.all(others))] };
      },
    ],
    [
      "have had 256 new keys",
      async (_, key) => ({ succession: Array.from({ length: 256 }, () => linkTo(key, key)) }),
    ],
  ])("is refused with the reason: %s", async (reason, change) => {
    const key = SigningKey.derive(keyIn(vault.ownerKeyPath()).identity);
    const changed = await change(load("vault.json"), key);
    forge(vault.ownerKeyPath(), () => changed);
    await expect(addBea()).rejects.toMatchObject({ code: "usage", message: expect.stringContaining(reason) });
    expect(existsSync(beaKey)).toBe(false);
  });
});

describe("an owner's card", () => {
  it("shows the public half of a key, signed by it, and nothing of the key file", async () => {
    const { vault: seen } = await vault.owner();
    const { card, keyFile } = await makeCard(seen, "bea", vault.machine.now());
    const { identity, owners } = parseKeyFile(keyFile, "test");
    expect(owners).toEqual([...seen.owners, SigningKey.derive(identity).verifyKey]);
    expect(JSON.stringify(card)).not.toContain(identity.reveal());
    expect(parseCard(JSON.stringify(card), vault.id)).toEqual({
      name: "bea",
      recipient: card.recipient,
      verifyKey: card.verifyKey,
    });
  });

  it("is refused where any field was changed, added or left out, and for another vault", async () => {
    const { vault: seen } = await vault.owner();
    const { card } = await makeCard(seen, "bea", vault.machine.now());
    const { card: other } = await makeCard(seen, "bea", vault.machine.now());
    const { sig: _, ...unsigned } = card;
    const broken: unknown[] = [
      { ...card, name: "eve" },
      { ...card, recipient: other.recipient },
      { ...card, verifyKey: other.verifyKey },
      { ...card, vault: "0".repeat(32) },
      { ...card, more: 1 },
      unsigned,
      [],
    ];
    for (const text of [...broken.map((value) => JSON.stringify(value)), "", "{"])
      expect(await codeOf(() => parseCard(text, vault.id)), text).toBe("key-file");
    expect(await codeOf(() => parseCard(JSON.stringify(card), "0".repeat(32) as never))).toBe("wrong-vault");
  });
});

describe("an owner who was removed", () => {
  it("opens nothing that is sealed since, not by any group, not by any escrow", async () => {
    await addBea();
    const { identity } = keyIn(beaKey);
    await remove("bea");
    const { vault: seen } = await vault.owner();
    for (const group of seen.groups())
      expect(await codeOf(() => openGroup(group, identity)), group.name).toBe("not-for-identity");
    for (const agent of seen.agents())
      expect(await codeOf(() => openEscrow(agent, identity)), agent.name).toBe("not-for-identity");
    expect(seen.groups().map(({ name, epoch }) => [name, epoch])).toEqual([
      ["mail", 4],
      ["stripe", 2],
    ]);
    expect(await codeOf(asBea)).toBe("wrong-key");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("value of stripe/A");
  });

  it("left nothing that only they signed: every record, down to the tombstones, is an owner's", async () => {
    await addBea();
    await byBea(setTo("stripe/B", "bea's"));
    await byBea(async (session) => planRemoveOwner(session, "owner", nothing).then(({ plan }) => plan));
    expect(signers()).toEqual(new Set([(await asBea()).signingKey.verifyKey]));
    const { vault: seen } = await asBea();
    expect(seen.findAgent(parseAgentName("gone"))?.type).toBe("tombstone");
    expect(seen.findSecret(parseSecretRef("stripe/OLD"))?.type).toBe("tombstone");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("value of stripe/A");
  });

  it("is named by every value and every agent they could have read, until it is new or rekeyed", async () => {
    await addBea();
    const key = keyFingerprint((await asBea()).signingKey.verifyKey);
    const { at } = load("vault.json").succession[0];
    await vault.set("mail/PASSWORD", "set later");
    await remove("bea");
    expect(load("groups/stripe/secrets/A.json").exposedTo).toEqual([{ owner: "bea", key, since: at }]);
    const { exposedTo, setAt } = load("groups/mail/secrets/PASSWORD.json");
    expect(exposedTo.at(-1)).toEqual({ owner: "bea", key, since: setAt });
    expect(load("agents/crawler/agent.json").exposedTo).toEqual([{ owner: "bea", key, since: at }]);
    await vault.grant("crawler", "mail");
    expect(load("agents/crawler/agent.json").exposedTo).toHaveLength(1);
    await vault.rekey("crawler");
    expect(load("agents/crawler/agent.json").exposedTo).toBeUndefined();
    await vault.set("stripe/A", "a new value");
    expect(load("groups/stripe/secrets/A.json").exposedTo).toEqual([]);
  });

  it("cannot come back with a vault of their own that the old link leads to, where the removal was seen", async () => {
    await addBea();
    const { self } = await asBea();
    await remove("bea");
    const removed = readFileSync(join(vault.root, "vault.json"), "utf8");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("value of stripe/A");
    forge(beaKey, () => ({ owners: [self] }));
    expect(await codeOf(() => vault.agent("crawler"))).toBe("untrusted");
    expect(await codeOf(() => vault.owner())).toBe("untrusted");
    // Nor by someone whom they vouch for.
    writeFileSync(join(vault.root, "vault.json"), removed);
    const their = SigningKey.derive(keyIn(beaKey).identity);
    forge(vault.keyPath("gone"), (before, key) => ({
      owners: [{ ...self, verifyKey: key.verifyKey }],
      succession: [...before.succession, linkTo(key, their)],
    }));
    expect(await codeOf(() => vault.agent("crawler"))).toBe("untrusted");
    expect(await codeOf(() => vault.owner())).toBe("untrusted");
  });

  it("cannot come back to a key file made since either, on a machine that has seen nothing", async () => {
    await addBea();
    const { self } = await asBea();
    const before = readFileSync(vault.keyPath("crawler"), "utf8");
    await remove("bea");
    await vault.rekey("crawler");
    const since = readFileSync(vault.keyPath("crawler"), "utf8");
    expect(since).toContain(`# former-owner: ${self.verifyKey}\n`);
    expect(before).not.toContain("former-owner");
    forge(beaKey, () => ({ owners: [self] }));
    const fresh = vault.elsewhere({ VAULT_RUN_KEY: since });
    await expect(async () => vault.agent("crawler", fresh)).rejects.toMatchObject({
      code: "untrusted",
      message: expect.stringContaining("removed or replaced"),
    });
  });

  it("cannot come back to a key file that was restored since, though it was made before", async () => {
    await addBea();
    await vault.rekey("crawler");
    const { self } = await asBea();
    const restored = async () => {
      const { vault: verified, identity } = await vault.owner();
      return restoredKeyFile(verified, verified.agent(parseAgentName("crawler")), identity);
    };
    expect(await restored()).toBe(readFileSync(vault.keyPath("crawler"), "utf8"));
    await remove("bea");
    const env = { VAULT_RUN_KEY: await restored() };
    expect(await vault.readAs("crawler", "stripe/A", vault.elsewhere(env))).toBe("value of stripe/A");
    forge(beaKey, () => ({ owners: [self] }));
    expect(await codeOf(() => vault.agent("crawler", vault.elsewhere(env)))).toBe("untrusted");
  });

  it("can be no owner again with that key", async () => {
    await addBea();
    const bea = (await asBea()).self;
    await remove("bea");
    const before = vault.git("rev-parse", "HEAD");
    expect(await codeOf(() => vault.change((session) => planAddOwner(session, bea, nothing)))).toBe(
      "wrong-key",
    );
    expect(vault.git("rev-parse", "HEAD")).toBe(before);
  });

  it("was not the only one, nor the one who removes", async () => {
    expect(await codeOf(() => remove("owner"))).toBe("last-owner");
    expect(await codeOf(() => remove("nobody"))).toBe("unknown-owner");
    await addBea();
    expect(await codeOf(() => remove("owner"))).toBe("last-owner");
    expect(load("vault.json").owners).toHaveLength(2);
  });
});

describe("a new key of an owner", () => {
  it("does everything that the old one did, which opens and signs nothing any more", async () => {
    const old = await rekeyOwner();
    await vault.set("stripe/A", "by the new key");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("by the new key");
    expect(await codeOf(() => OwnerSession.open(vault.elsewhere(), vault.root, old))).toBe("wrong-key");
    const { identity } = keyIn(old);
    const { vault: seen } = await vault.owner();
    for (const group of seen.groups())
      expect(await codeOf(() => openGroup(group, identity))).toBe("not-for-identity");
    const by = new Set([SigningKey.derive(identity).verifyKey, seen.owners[0]]);
    expect(new Set(load("vault.json").signatures.map(({ key }: never) => key))).toEqual(by);
    expect(signers()).toEqual(by);
  });

  it("is followed by agents that pinned the old one, in a key file or on the machine, however often", async () => {
    const text = readFileSync(vault.keyPath("crawler"), "utf8");
    await rekeyOwner();
    await rekeyOwner();
    expect(await vault.readAs("crawler", "stripe/A", vault.elsewhere({ VAULT_RUN_KEY: text }))).toBe(
      "value of stripe/A",
    );
    expect(await vault.readAs("crawler", "stripe/A")).toBe("value of stripe/A");
  });

  it("treats all that the old one could open as read by others", async () => {
    const key = keyFingerprint((await vault.owner()).signingKey.verifyKey);
    await rekeyOwner();
    const exposure = { owner: "owner", key };
    expect(load("groups/mail/secrets/PASSWORD.json").exposedTo.at(-1)).toMatchObject(exposure);
    expect(load("agents/crawler/agent.json").exposedTo).toMatchObject([exposure]);
  });

  it("is not followed along a link that the old key did not sign, nor back to the old key", async () => {
    const fresh = () => vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("crawler"), "utf8") });
    const { self } = await vault.owner();
    const text = readFileSync(join(vault.root, "vault.json"), "utf8");
    forge(vault.keyPath("gone"), (_, key) => ({
      owners: [{ ...self, verifyKey: key.verifyKey }],
      succession: [{ ...linkTo(key, key), from: self.verifyKey }],
    }));
    expect(await codeOf(() => vault.agent("crawler", fresh()))).toBe("untrusted");
    writeFileSync(join(vault.root, "vault.json"), text);
    const old = await rekeyOwner();
    await vault.addAgent("later");
    const later = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("later"), "utf8") });
    forge(old, () => ({ owners: [self] }));
    expect(await codeOf(() => vault.agent("later", later))).toBe("untrusted");
  });

  it("cannot be forked from the old one on a machine that has followed it", async () => {
    const { self } = await vault.owner();
    const stolen = SigningKey.derive(keyIn(await rekeyOwner()).identity);
    await vault.readAs("crawler", "stripe/A");
    forge(vault.keyPath("gone"), (before, key) => ({
      owners: [{ ...self, verifyKey: key.verifyKey }],
      succession: [...before.succession, linkTo(key, stolen)],
    }));
    expect(await codeOf(() => vault.agent("crawler"))).toBe("untrusted");
  });

  it("works where its making was killed at any file, and the old one then says where it is (promise 8)", async () => {
    const repository = await Repository.find(vault.repo);
    const scratch = prepareScratch(repository);
    const { plan, keyFile, owner } = await planRekeyOwner(await vault.owner(), nothing);
    const next = besideKeyFile(vault.ownerKeyPath(), owner.verifyKey);
    createKeyFile(next, keyFile);
    const writes = plan.writes.map(({ path, record }) => ({
      path,
      before: readFileSync(join(vault.root, path), "utf8"),
      after: encodeRecord(record).toString("utf8"),
    }));
    const { message, event } = plan;
    const journal = {
      root: ".vault",
      branch: "refs/heads/main",
      message,
      commit: true,
      event,
      token: "0".repeat(32),
      writes,
    };
    writeJournal(scratch, journal);
    for (const write of writes.slice(0, writes.length / 2))
      writeFileSync(join(vault.root, write.path), write.after);
    await expect(vault.set("stripe/A", "by the old key")).rejects.toMatchObject({
      code: "wrong-key",
      hint: expect.stringContaining(next),
    });
    expect(vault.git("log", "-1", "--format=%s")).toBe("vault-run: rekey owner owner");
    const { owners } = decodeRecord(VAULT_PATH, readFileSync(join(vault.root, VAULT_PATH))) as VaultRecord;
    const pins = new Pins(stateFolder(vault.machine, vault.id));
    expect(pins.findOwners()?.current).toEqual(owners.map(({ verifyKey }) => verifyKey));
    renameSync(next, vault.ownerKeyPath());
    await vault.set("stripe/A", "by the new key");
    expect(await vault.readAs("crawler", "stripe/A")).toBe("by the new key");
  });
});

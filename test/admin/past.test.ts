import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { findExposed, readerName } from "../../src/admin/exposed.ts";
import { readGroupHistory } from "../../src/admin/group-history.ts";
import { openPastValue } from "../../src/admin/past-value.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planRollback, versionToSet } from "../../src/admin/plans/rollback.ts";
import { readSecretHistory, type SecretHistory } from "../../src/admin/secret-history.ts";
import { generateIdentity } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { Repository } from "../../src/git/repository.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { readKeyFile } from "../../src/vault/key-file.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { openGrant, openSecret } from "../../src/vault/open-sealed.ts";
import type { RecordPath } from "../../src/vault/paths.ts";
import { decodeRecord, encodeRecord, signRecord } from "../../src/vault/record.ts";
import type { SecretRecord, SignedRecord, VaultRecord } from "../../src/vault/schema.ts";
import { type Timestamp, timestamp } from "../../src/vault/time.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, git, TestVault } from "../fixtures/vault.ts";

// What git's history holds of a secret, and an old value set again.

const ONE = parseSecretRef("web/ONE");
const DAY_MS = 86_400_000;

const template = await TestVault.template("classic", async (vault) => {
  for (const agent of ["crawler", "stays"]) await vault.addAgent(agent);
  await vault.set("web/ONE", "first");
  for (const agent of ["crawler", "stays"]) await vault.grant(agent, "web");
});

async function historyOf(vault: TestVault): Promise<SecretHistory> {
  const { vault: verified } = await vault.owner();
  return readSecretHistory(await Repository.find(vault.repo), verified, ONE);
}

const changes = ({ versions }: SecretHistory) =>
  versions.map((version) => (version.signer === undefined ? "unsigned" : version.change));

async function rollback(vault: TestVault, number: number, formerKeyFile?: string): Promise<void> {
  await vault.change(async (session) => {
    const repository = await Repository.find(vault.repo);
    const version = versionToSet(ONE, await readSecretHistory(repository, session.vault, ONE), number);
    const history = await readGroupHistory(repository, session.vault, ONE.group, [ONE.name]);
    const former = formerKeyFile === undefined ? [] : [readKeyFile(formerKeyFile).identity];
    const past = { ...version.past, record: version.record };
    using value = await openPastValue(past, history, [session.identity, ...former]);
    return planRollback(session, version, value, history);
  });
}

async function current(vault: TestVault): Promise<SecretRecord> {
  return (await vault.owner()).vault.secret(ONE);
}

async function exposed(vault: TestVault): Promise<[string, string[]][]> {
  const session = await vault.owner();
  return findExposed(session.vault, session.nowMs).map(({ name, readers }) => [
    name,
    readers.map(readerName),
  ]);
}

describe("a secret's history", () => {
  it("says of each version what it was", async () => {
    const vault = template.copy();
    await vault.revoke("crawler", "web");
    await vault.set("web/ONE", "first", { description: "the first" });
    await vault.set("web/ONE", "second");
    await vault.unset("web/ONE");
    await vault.set("web/ONE", "third");
    const history = await historyOf(vault);
    expect(changes(history)).toEqual(["set", "resealed", "changed", "set", "removed", "set"]);
    expect(history.versions.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    const values = history.versions.map(({ past }) => "valueId" in past.record && past.record.valueId);
    expect(values[0]).toBe(values[1]);
    expect(values[5]).toBe(history.current?.valueId);
    expect(history).toMatchObject({ isCut: false, isUncommitted: false });
  });

  it("keeps numbers when branches are merged, and has a version that comes by several ways once", async () => {
    const vault = template.copy();
    vault.git("switch", "--quiet", "--create", "side");
    await vault.set("web/ONE", "on the side");
    vault.git("switch", "--quiet", "--create", "other", "main");
    // The same change again, as a cherry-pick brings it.
    vault.git("cherry-pick", "side");
    vault.git("commit", "--quiet", "--amend", "--message", "picked");
    await vault.set("web/ONE", "then");
    const before = await historyOf(vault);
    vault.git("merge", "--quiet", "--strategy", "ours", "--message", "merge", "side");
    mkdirSync(join(vault.repo, "sub"));
    vault.git("mv", ".vault", "sub/.vault");
    vault.git("commit", "--quiet", "--message", "move");
    vault.git("mv", "sub/.vault", ".vault");
    vault.git("commit", "--quiet", "--message", "and back");
    const after = await historyOf(vault);
    expect(changes(after)).toEqual(["set", "set", "set"]);
    const commits = ({ versions }: SecretHistory) => versions.map(({ past }) => past.version.commit);
    expect(commits(after)).toEqual(commits(before));
  });

  it("lists what no owner signed as that, and never sets it again", async () => {
    const vault = template.copy();
    const path = join(vault.root, "groups/web/secrets/ONE.json");
    const record = decodeRecord("groups/web/secrets/ONE.json" as RecordPath, readFileSync(path));
    writeFileSync(path, encodeRecord({ ...record, description: "forged" } as SecretRecord));
    vault.git("commit", "--quiet", "--all", "--message", "forged");
    vault.git("revert", "--no-edit", "HEAD");
    await vault.set("web/ONE", "second");
    const history = await historyOf(vault);
    expect(changes(history)).toEqual(["set", "unsigned", "set"]);
    expect(await codeOf(() => rollback(vault, 2))).toBe("record-signature");
    await rollback(vault, 1);
    expect(await vault.readAs("stays", "web/ONE")).toBe("first");
  });

  it("takes nobody for a former owner whom no owner made one", async () => {
    const vault = template.copy();
    const key = SigningKey.derive(await generateIdentity("classic"));
    const load = (path: string) =>
      decodeRecord(path as RecordPath, readFileSync(join(vault.root, path))) as SignedRecord;
    const forge = (path: string, fields: object) => {
      const { signatures: _, ...record } = { ...load(path), ...fields };
      writeFileSync(join(vault.root, path), encodeRecord(signRecord(record as never, key)));
    };
    const { owners } = load("vault.json") as VaultRecord;
    forge("vault.json", {
      owners: [...owners, { ...owners[0]!, name: "mallory", verifyKey: key.verifyKey }],
    });
    forge("groups/web/secrets/ONE.json", { description: "forged" });
    vault.git("commit", "--quiet", "--all", "--message", "a takeover");
    vault.git("revert", "--no-edit", "HEAD");
    expect(changes(await historyOf(vault))).toEqual(["set", "unsigned"]);
  });

  it("passes over another vault of the repository", async () => {
    const vault = template.copy();
    const other = await TestVault.make();
    await other.set("web/ONE", "of another vault");
    mkdirSync(join(vault.repo, "other"));
    execaSync("cp", ["-r", other.root, join(vault.repo, "other")]);
    vault.git("add", "--all");
    vault.git("commit", "--quiet", "--message", "another vault");
    expect(changes(await historyOf(vault))).toEqual(["set"]);
  });

  it("says where a clone's history is cut, and that a version is not committed", async () => {
    const vault = template.copy();
    await vault.set("web/ONE", "second");
    const clone = join(tempFolder(), "clone");
    git(vault.repo, "clone", "--quiet", "--depth", "1", `file://${vault.repo}`, clone);
    const { vault: verified } = await vault.owner();
    const cut = await readSecretHistory(await Repository.find(clone), verified, ONE);
    expect(cut.isCut).toBe(true);
    expect(changes(cut)).toEqual(["set"]);
    vault.git("reset", "--quiet", "--soft", "HEAD~1");
    expect((await historyOf(vault)).isUncommitted).toBe(true);
  });
});

describe("a rollback", () => {
  it("sets the old value again, with its id, for who may read today, and all else as it is today", async () => {
    const vault = template.copy();
    const { valueId } = await current(vault);
    await vault.set("web/ONE", "second", { description: "today's", env: "TODAY" });
    await rollback(vault, 1);
    const now = await current(vault);
    expect(now).toMatchObject({ valueId, description: "today's", env: "TODAY", exposedTo: [] });
    expect(await vault.readAs("stays", "web/ONE")).toBe("first");
    expect(vault.git("log", "-1", "--format=%s")).toBe("vault-run: roll back web/ONE");
    expect(changes(await historyOf(vault))).toEqual(["set", "set", "set"]);
    expect(await exposed(vault)).toEqual([]);
  });

  it("does not open for an agent that was revoked in between, and names it (promise 7)", async () => {
    const vault = template.copy();
    const agent = (await vault.owner()).vault.agent(parseAgentName("crawler"));
    const [grant] = (await vault.owner()).vault.grants(agent.name);
    await vault.set("web/ONE", "second");
    await vault.revoke("crawler", "web");
    await vault.set("web/ONE", "third");
    expect(await exposed(vault)).toEqual([]);
    await rollback(vault, 1);
    expect((await current(vault)).exposedTo).toEqual([
      { agent: "crawler", key: keyFingerprint(agent.verifyKey), since: grant!.grantedAt },
    ]);
    expect(await codeOf(() => vault.readAs("crawler", "web/ONE"))).toBe("not-granted");
    const group = await openGrant(grant!, readKeyFile(vault.keyPath("crawler")).identity);
    const record = await current(vault);
    expect(await codeOf(() => openSecret(record, group))).toBe("not-for-identity");
    expect(await vault.readAs("stays", "web/ONE")).toBe("first");
    expect(await exposed(vault)).toEqual([["ONE", ["crawler"]]]);
    await vault.set("web/ONE", "fourth");
    expect(await exposed(vault)).toEqual([]);
  });

  it("names also who held the key by a grant that came after the value, or by a key they have no more", async () => {
    const vault = template.copy();
    const key = async (name: string) =>
      keyFingerprint((await vault.owner()).vault.agent(parseAgentName(name)).verifyKey);
    await vault.set("web/ONE", "second");
    await vault.addAgent("late");
    await vault.grant("late", "web");
    const [late, stays] = [await key("late"), await key("stays")];
    await vault.revoke("late", "web");
    await vault.rekey("stays");
    await vault.set("web/ONE", "third");
    await rollback(vault, 1);
    const { exposedTo } = await current(vault);
    expect(exposedTo.map((exposure) => exposure.key).sort()).toEqual([late, stays].sort());
  });

  it("brings a removed secret back as it was, without an expiry that has passed", async () => {
    const vault = template.copy();
    const expiresAt = timestamp(Date.now() + DAY_MS);
    await vault.set("web/ONE", "second", { description: "old", expiresAt });
    await vault.unset("web/ONE");
    expect(await codeOf(() => rollback(vault, 3))).toBe("unknown-secret");
    await rollback(vault, 2);
    expect(await current(vault)).toMatchObject({ description: "old", expiresAt });
    await vault.unset("web/ONE");
    vault.passTime(2 * DAY_MS);
    await rollback(vault, 2);
    expect((await current(vault)).expiresAt).toBeUndefined();
    expect(await vault.readAs("stays", "web/ONE")).toBe("second");
  });

  it("keeps what cannot stand in a variable a file", async () => {
    const vault = template.copy();
    await vault.set("web/ONE", Buffer.from([0, 255, 1]), { deliver: "file" });
    await vault.set("web/ONE", "text", { deliver: "env" });
    await rollback(vault, 2);
    expect((await current(vault)).deliver).toBe("file");
  });

  it("to a number that is not there says which there are", async () => {
    const vault = template.copy();
    await vault.set("web/ONE", "second");
    const { vault: verified } = await vault.owner();
    const history = await readSecretHistory(await Repository.find(vault.repo), verified, ONE);
    expect(() => versionToSet(ONE, history, 3)).toThrow("no version 3 of web/ONE: it has 1 to 2");
  });

  it("opens what only an owner's former key opens with that key's file, and otherwise says so", async () => {
    const vault = template.copy();
    const key = keyFingerprint((await vault.owner()).signingKey.verifyKey);
    await vault.set("web/ONE", "second");
    const former = await vault.rekeyOwner();
    const before = vault.git("rev-parse", "HEAD");
    expect((await historyOf(vault)).versions.map(({ signer }) => [signer?.name, signer?.isCurrent])).toEqual([
      ["owner", false],
      ["owner", false],
      ["owner", true],
    ]);
    expect(await codeOf(() => rollback(vault, 1))).toBe("not-for-identity");
    expect(vault.git("rev-parse", "HEAD")).toBe(before);
    await rollback(vault, 1, former);
    expect(await vault.readAs("stays", "web/ONE")).toBe("first");
    // The old key opens the old value in any clone: it is named with it.
    expect((await current(vault)).exposedTo).toMatchObject([{ owner: "owner", key }]);
    expect(await exposed(vault)).toEqual([["ONE", ["owner owner"]]]);
  });
});

describe("an expired grant", () => {
  it("has every value on the rotation list, new ones too, until the group has another key", async () => {
    const vault = template.copy();
    const expiresAt = timestamp(Date.now() + DAY_MS) as Timestamp;
    await vault.change((session) =>
      planGrant(session, parseAgentName("crawler"), parseGroupName("web"), expiresAt),
    );
    expect(await exposed(vault)).toEqual([]);
    vault.passTime(2 * DAY_MS);
    expect(await exposed(vault)).toEqual([["ONE", ["crawler"]]]);
    await vault.set("web/ONE", "second");
    expect(await exposed(vault)).toEqual([["ONE", ["crawler"]]]);
    await vault.revoke("crawler", "web");
    expect(await exposed(vault)).toEqual([["ONE", ["crawler"]]]);
    await vault.set("web/ONE", "third");
    expect(await exposed(vault)).toEqual([]);
  });

  it("and an expired value are refused at launch from that moment on", async () => {
    const vault = template.copy();
    const expiresAt = timestamp(vault.machine.now() + DAY_MS);
    await vault.set("web/TWO", "two", { expiresAt });
    await vault.change((session) =>
      planGrant(
        session,
        parseAgentName("crawler"),
        parseGroupName("web"),
        timestamp(Date.parse(expiresAt) + DAY_MS),
      ),
    );
    const refusal = (ref: string) =>
      codeOf(async () => {
        const session = await vault.agent("crawler");
        session.grants([parseGroupName("web")]);
        session.requireUnexpired(session.vault.secret(parseSecretRef(ref)));
      });
    expect([await refusal("web/ONE"), await refusal("web/TWO")]).toEqual([undefined, undefined]);
    vault.passTime(DAY_MS);
    expect([await refusal("web/ONE"), await refusal("web/TWO")]).toEqual([undefined, "expired"]);
    vault.passTime(DAY_MS);
    expect([await refusal("web/ONE"), await refusal("web/TWO")]).toEqual(["expired", "expired"]);
  });
});

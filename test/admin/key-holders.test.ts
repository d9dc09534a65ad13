import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readGroupHistory } from "../../src/admin/group-history.ts";
import { type Holder, holdersOf } from "../../src/admin/key-holders.ts";
import { Repository } from "../../src/git/repository.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseAgentName, parseGroupName } from "../../src/vault/names.ts";
import type { RecordPath } from "../../src/vault/paths.ts";
import { decodeRecord, encodeRecord } from "../../src/vault/record.ts";
import type { GrantRecord, SecretRecord } from "../../src/vault/schema.ts";
import { TestVault } from "../fixtures/vault.ts";

const WEB = parseGroupName("web");

const template = await TestVault.template("classic", async (vault) => {
  for (const agent of ["crawler", "mailer", "stays"]) await vault.addAgent(agent);
  await vault.set("web/ONE", "first");
  for (const agent of ["crawler", "mailer", "stays"]) await vault.grant(agent, "web");
});

/** The versions of web/ONE, oldest first, by their epochs and who held the key of each. */
async function held(vault: TestVault, ...commits: string[]): Promise<[number, readonly Holder[]][]> {
  const repository = await Repository.find(vault.repo);
  const { vault: verified } = await vault.owner();
  const { past, beside } = await readGroupHistory(
    repository,
    verified,
    WEB,
    undefined,
    commits.length > 0 ? commits : ["HEAD"],
  );
  const versions = [...holdersOf(past, beside)].reverse();
  return versions.flatMap(([{ record }, holders]) =>
    record.type === "secret" ? [[record.epoch, holders]] : [],
  );
}

const names = (found: [number, readonly Holder[]][]) =>
  found.map(([epoch, holders]) => [epoch, holders.map(({ agent }) => agent).sort()]);

async function keyOf(vault: TestVault, agent: string): Promise<string> {
  return keyFingerprint((await vault.owner()).vault.agent(parseAgentName(agent)).verifyKey);
}

describe("who held the key that a past version is sealed to", () => {
  it("is everyone who was granted that key, also after the version, and nobody of another key", async () => {
    const vault = template.copy();
    await vault.revoke("crawler", "web");
    await vault.set("web/ONE", "second");
    await vault.addAgent("late");
    await vault.grant("late", "web");
    expect(names(await held(vault))).toEqual([
      [1, ["crawler", "mailer", "stays"]],
      [2, ["late", "mailer", "stays"]],
      [2, ["late", "mailer", "stays"]],
    ]);
  });

  it("is said with since when: the later of the grant and the value", async () => {
    const vault = template.copy();
    const [grant] = (await vault.owner()).vault.grants(parseAgentName("stays"));
    await vault.set("web/ONE", "second");
    const { setAt } = (await vault.owner()).vault.secrets(WEB)[0]!;
    const since = (await held(vault)).map(
      ([, holders]) => holders.find(({ agent }) => agent === "stays")!.since,
    );
    expect(since).toEqual([grant!.grantedAt, setAt]);
  });

  it("tells an agent's keys apart", async () => {
    const vault = template.copy();
    const old = await keyOf(vault, "crawler");
    await vault.rekey("crawler");
    const keys = (await held(vault)).map(
      ([, holders]) => holders.find(({ agent }) => agent === "crawler")!.key,
    );
    expect(keys).toEqual([old, await keyOf(vault, "crawler")]);
  });

  it("tells two keys of one epoch apart, made on two branches", async () => {
    const vault = template.copy();
    vault.git("switch", "--quiet", "--create", "a");
    await vault.revoke("crawler", "web");
    const { recipient } = (await vault.owner()).vault.group(WEB);
    vault.git("switch", "--quiet", "--create", "b", "main");
    // Another machine of the same owner: this one would have the first branch merged before.
    const other = vault.withoutPins();
    await other.revoke("mailer", "web");
    expect((await other.owner()).vault.group(WEB).recipient).not.toBe(recipient);
    expect(names(await held(other, "a"))).toEqual([
      [1, ["crawler", "mailer", "stays"]],
      [2, ["mailer", "stays"]],
    ]);
    expect(names(await held(other, "a", "b"))).toEqual(
      expect.arrayContaining([
        [2, ["mailer", "stays"]],
        [2, ["crawler", "stays"]],
      ]),
    );
  });

  it("is found where the vault's folder was moved, and counts nothing that no owner signed", async () => {
    const vault = template.copy();
    const path = join(vault.root, "agents/mailer/grants/web.json");
    const grant = decodeRecord("agents/mailer/grants/web.json" as RecordPath, readFileSync(path));
    await vault.revoke("mailer", "web");
    writeFileSync(path, encodeRecord({ ...grant, epoch: 2 } as GrantRecord));
    vault.git("commit", "--quiet", "--all", "--message", "forged");
    vault.git("revert", "--no-edit", "HEAD");
    const { vault: verified } = await vault.owner();
    mkdirSync(join(vault.repo, "sub"));
    vault.git("mv", ".vault", "sub/.vault");
    vault.git("commit", "--quiet", "--message", "elsewhere");
    const { past, beside } = await readGroupHistory(await Repository.find(vault.repo), verified, WEB);
    const found = [...holdersOf(past, beside)].map(([{ record, version }, holders]) => [
      version.path,
      (record as SecretRecord).epoch,
      holders.map(({ agent }) => agent).sort(),
    ]);
    expect(found).toEqual([
      ["sub/.vault/groups/web/secrets/ONE.json", 2, ["crawler", "stays"]],
      [".vault/groups/web/secrets/ONE.json", 2, ["crawler", "stays"]],
      [".vault/groups/web/secrets/ONE.json", 1, ["crawler", "mailer", "stays"]],
    ]);
  });
});

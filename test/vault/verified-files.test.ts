import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { stateFolder } from "../../src/vault/machine.ts";
import { parseAgentName, parseGroupName, parseSecretName } from "../../src/vault/names.ts";
import { secretPath, VAULT_PATH } from "../../src/vault/paths.ts";
import type { Pin } from "../../src/vault/pins.ts";
import { VerifiedFiles } from "../../src/vault/verified-files.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  for (const agent of ["crawler", "other"]) {
    await made.addAgent(agent);
  }
  await made.set("stripe/API_KEY", "sk_live_one");
  await made.set("stripe/OTHER", "sk_live_two");
  for (const agent of ["crawler", "other"]) await made.grant(agent, "stripe");
  await made.readAs("crawler", "stripe/API_KEY");
});
let vault: TestVault;
beforeEach(() => {
  vault = template.copy();
});

const SECRET = secretPath(parseGroupName("stripe"), parseSecretName("API_KEY"));
const listPath = (agent = "crawler") =>
  join(stateFolder(vault.machine, vault.id), "verified", `${agent}.json`);
const recordPath = () => join(vault.root, SECRET);

/** The list without its MAC. */
function entries(agent = "crawler"): Record<string, { file: string; serial: number; digest: string }> {
  return JSON.parse(readFileSync(listPath(agent), "utf8").split("\n")[1] ?? "");
}

/** The list as an agent's session would take it. */
async function listOf(agent: string, change: { sources?: string[]; identity?: boolean } = {}) {
  const session = await vault.agent(agent);
  const keys = (change.sources ?? (await vault.owner()).vault.owners) as never;
  return new VerifiedFiles(stateFolder(vault.machine, vault.id), {
    vault: vault.id,
    agent: parseAgentName(agent),
    identity: change.identity === true ? await generateIdentity("classic") : session.identity,
    sources: [{ from: "the test", keys }],
    pinned: (await vault.owner()).vault.ownerKeys,
  });
}

describe("what was verified", () => {
  it("is remembered once all was opened: the files, and nothing of their values", async () => {
    rmSync(dirname(listPath()), { recursive: true });
    await vault.readAs("crawler", "stripe/API_KEY");
    expect(Object.keys(entries()).sort()).toEqual([
      "agents/crawler/agent.json",
      "agents/crawler/grants/stripe.json",
      "groups/stripe/group.json",
      "groups/stripe/secrets/API_KEY.json",
      "vault.json",
    ]);
    expect(readFileSync(listPath(), "utf8")).not.toContain("sk_live");
    expect(statSync(listPath()).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(listPath())).mode & 0o777).toBe(0o700);
  });

  it("grows with what is read, and is not written where nothing is new", async () => {
    await vault.readAs("crawler", "stripe/OTHER");
    expect(Object.keys(entries())).toContain("groups/stripe/secrets/OTHER.json");
    expect(Object.keys(entries())).toContain("groups/stripe/secrets/API_KEY.json");
    const before = statSync(listPath()).ino;
    await vault.readAs("crawler", "stripe/OTHER");
    expect(statSync(listPath()).ino).toBe(before);
  });

  it("is not remembered where something could not be opened (A7)", async () => {
    const session = await vault.agent("other");
    session.grants([parseGroupName("stripe")]);
    const record = { ...session.vault.secret({ group: "stripe", name: "API_KEY" } as never), sealed: "AAAA" };
    expect(await codeOf(() => session.release([record], { action: "get" }, () => {}))).toBe("sealed-damaged");
    expect(existsSync(listPath("other"))).toBe(false);
  });

  it("is verified anew where the list cannot be read or written, and is read all the same", async () => {
    for (const spoil of [
      () => writeFileSync(listPath(), "no list\n{}"),
      () => writeFileSync(listPath(), ""),
      () => rmSync(dirname(listPath()), { recursive: true }),
      () => {
        rmSync(dirname(listPath()), { recursive: true, force: true });
        writeFileSync(dirname(listPath()), "a file where the folder should be");
      },
    ]) {
      spoil();
      expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe("sk_live_one");
    }
  });

  it("is worth nothing once vault.json is another: its owners may be others", async () => {
    const list = await listOf("crawler");
    const bytes = readFileSync(recordPath());
    expect(list.find(VAULT_PATH, readFileSync(join(vault.root, VAULT_PATH)))).toBeDefined();
    expect(list.find(SECRET, bytes)).toMatchObject({ serial: expect.any(Number) });
    const changed = await listOf("crawler");
    expect(changed.find(VAULT_PATH, Buffer.from("another"))).toBeUndefined();
    expect(changed.find(SECRET, bytes)).toBeUndefined();
    // And where vault.json was not looked for at all.
    expect((await listOf("crawler")).find(SECRET, bytes)).toBeUndefined();
  });

  it("is of one place and of these bytes alone", async () => {
    const list = await listOf("crawler");
    list.find(VAULT_PATH, readFileSync(join(vault.root, VAULT_PATH)));
    const bytes = readFileSync(recordPath());
    expect(list.find(secretPath(parseGroupName("stripe"), parseSecretName("OTHER")), bytes)).toBeUndefined();
    expect(list.find(SECRET, Buffer.concat([bytes, Buffer.from(" ")]))).toBeUndefined();
    expect(list.find("toString" as never, bytes)).toBeUndefined();
  });

  it("is another's for another identity, agent or source of trust", async () => {
    const bytes = readFileSync(join(vault.root, VAULT_PATH));
    const strange = Buffer.alloc(32, 5).toString("base64");
    expect((await listOf("crawler")).find(VAULT_PATH, bytes)).toBeDefined();
    expect((await listOf("crawler", { identity: true })).find(VAULT_PATH, bytes)).toBeUndefined();
    expect((await listOf("crawler", { sources: [strange] })).find(VAULT_PATH, bytes)).toBeUndefined();
    cpSync(listPath(), listPath("other"));
    expect((await listOf("other")).find(VAULT_PATH, bytes)).toBeUndefined();
  });
});

describe("whoever can write to the repo and to the machine's state, and has no key", () => {
  /** A record that no owner signed, in the secret's place. */
  function forge(): Buffer {
    const text = readFileSync(recordPath(), "utf8");
    const forged = Buffer.from(
      text.replace(/"serial": (\d+)/, (_, serial) => `"serial": ${Number(serial) + 1}`),
    );
    writeFileSync(recordPath(), forged);
    return forged;
  }

  it("cannot have a forged record taken for verified (A3, promise 5)", async () => {
    const forged = forge();
    const { createHash } = await import("node:crypto");
    const list = entries();
    const entry = list[SECRET]!;
    const planted = {
      ...entry,
      serial: entry.serial + 1,
      file: createHash("sha256").update(forged).digest("hex"),
    };
    const text = JSON.stringify({ ...list, [SECRET]: planted });
    const mac = readFileSync(listPath(), "utf8").split("\n")[0];
    for (const content of [`${mac}\n${text}`, `${"A".repeat(43)}=\n${text}`, `\n${text}`, text]) {
      writeFileSync(listPath(), content);
      expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY"))).toBe("record-signature");
    }
  });

  it("cannot do it with the list of an agent whose key they have", async () => {
    const forged = forge();
    const other = await listOf("other");
    other.find(VAULT_PATH, readFileSync(join(vault.root, VAULT_PATH)));
    const pin: Pin = { serial: entries()[SECRET]!.serial + 1, digest: "0".repeat(64) };
    other.add(VAULT_PATH, readFileSync(join(vault.root, VAULT_PATH)), entries()[VAULT_PATH]!);
    other.add(SECRET, forged, pin);
    other.save((await vault.owner()).vault.ownerKeys);
    cpSync(listPath("other"), listPath());
    expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY"))).toBe("record-signature");
  });

  it("cannot bring back an older record with the list of its time (A5, promise 6)", async () => {
    const record = readFileSync(recordPath());
    const list = readFileSync(listPath());
    await vault.set("stripe/API_KEY", "sk_live_new");
    expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe("sk_live_new");
    writeFileSync(recordPath(), record);
    writeFileSync(listPath(), list);
    expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY"))).toBe("record-rollback");
  });

  it("is rid of the drafts of launches that were killed, and of nothing else", async () => {
    const folder = dirname(listPath());
    const kept = readdirSync(folder);
    writeFileSync(`${listPath()}.0123456789abcdef`, "half");
    writeFileSync(join(folder, "crawler.json.0123456789abcdef.json"), "another agent's list");
    await vault.set("stripe/API_KEY", "sk_live_new");
    await vault.readAs("crawler", "stripe/API_KEY");
    expect(readdirSync(folder).sort()).toEqual([...kept, "crawler.json.0123456789abcdef.json"].sort());
  });

  it("cannot have a link there followed to a file of their choice", async () => {
    const target = join(tempFolder(), "target");
    writeFileSync(target, "untouched");
    rmSync(dirname(listPath()), { recursive: true });
    mkdirSync(dirname(listPath()));
    const { symlinkSync } = await import("node:fs");
    symlinkSync(target, listPath());
    await vault.readAs("crawler", "stripe/API_KEY");
    expect(readFileSync(target, "utf8")).toBe("untouched");
  });
});

import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { OwnerSession } from "../../src/admin/owner-session.ts";
import { generateIdentity } from "../../src/age/generate.ts";
import { AgentSession } from "../../src/launch/agent-session.ts";
import { VaultError, type VaultErrorCode } from "../../src/vault-error.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", (made) => made.addAgent("crawler"));
let vault: TestVault;
let key: string;
let folder: string;
beforeEach(() => {
  vault = template.copy();
  key = readFileSync(vault.keyPath("crawler"), "utf8");
  folder = tempFolder();
});

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

async function open(
  env: Record<string, string>,
  options: { agent?: string; keyFile?: string } = { agent: "crawler" },
): Promise<VaultErrorCode | string> {
  try {
    return (await AgentSession.open(vault.elsewhere(env), options, () => {})).name;
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}

const bare = (text: string) => `${text.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY"))}\n`;

describe("an agent's key", () => {
  it("is taken from the first place that names one", async () => {
    const good = file("good.key", key);
    const credentials = join(folder, "credentials");
    mkdirSync(credentials);
    cpSync(good, join(credentials, "vault-run-key"));
    expect(await open({}, { agent: "crawler", keyFile: good })).toBe("crawler");
    expect(await open({ VAULT_RUN_KEY_FILE: good })).toBe("crawler");
    expect(await open({ CREDENTIALS_DIRECTORY: credentials })).toBe("crawler");
    expect(await open({ VAULT_RUN_KEY: key })).toBe("crawler");
    expect(await open({ VAULT_RUN_KEY: key, CREDENTIALS_DIRECTORY: folder })).toBe("crawler");
  });

  it("names its agent where none is named", async () => {
    expect(await open({ VAULT_RUN_KEY: key }, {})).toBe("crawler");
    expect(await open({ VAULT_RUN_AGENT: "crawler", VAULT_RUN_KEY: key }, {})).toBe("crawler");
    expect(await open({}, {})).toBe("usage");
  });

  it("that is named and fails is final: no other place is tried (promise 4)", async () => {
    const missing = join(folder, "missing.key");
    expect(await open({ VAULT_RUN_KEY: key }, { agent: "crawler", keyFile: missing })).toBe("key-file");
    expect(await open({ VAULT_RUN_KEY: key, VAULT_RUN_KEY_FILE: missing })).toBe("key-file");
    expect(await open({ VAULT_RUN_KEY: key, VAULT_RUN_KEY_FILE: "" })).toBe("usage");
    expect(await open({ VAULT_RUN_KEY: "" })).toBe("usage");
    expect(await open({ VAULT_RUN_KEY: key }, { agent: "crawler", keyFile: "" })).toBe("usage");
    expect(await open({ VAULT_RUN_KEY: key }, { agent: "" })).toBe("usage");
    symlinkSync("/nowhere", join(folder, "vault-run-key"));
    expect(await open({ VAULT_RUN_KEY: key, CREDENTIALS_DIRECTORY: folder })).toBe("key-file");
    expect(await open({ VAULT_RUN_KEY: "not a key" })).toBe("key-file");
  });

  it("is never the owner's (promise 4)", async () => {
    const path = vault.keyPath("crawler");
    const owner = readFileSync(vault.ownerKeyPath(), "utf8");
    expect(await open({ VAULT_RUN_KEY: owner })).toBe("wrong-key");
    writeFileSync(path, owner);
    const machine = { ...vault.machine };
    await expect(AgentSession.open(machine, { agent: "crawler" }, () => {})).rejects.toThrow(
      /not the key of agent crawler/,
    );
  });

  it("must be the agent's own", async () => {
    await vault.addAgent("other");
    const other = readFileSync(vault.keyPath("other"), "utf8");
    expect(await open({ VAULT_RUN_KEY: other })).toBe("wrong-key");
    expect(await open({ VAULT_RUN_KEY: other.replace("agent: other", "agent: crawler") })).toBe("wrong-key");
  });

  it("must be for this vault", async () => {
    const foreign = await TestVault.make();
    await foreign.addAgent("crawler");
    expect(await open({ VAULT_RUN_KEY: readFileSync(foreign.keyPath("crawler"), "utf8") })).toBe(
      "wrong-vault",
    );
  });

  it("must be readable by its user alone", async () => {
    expect(await open({}, { agent: "crawler", keyFile: file("loose.key", key, 0o640) })).toBe("key-file");
    expect(await open({}, { agent: "crawler", keyFile: file("tight.key", key, 0o400) })).toBe("crawler");
    expect(await open({}, { agent: "crawler", keyFile: folder })).toBe("key-file");
  });

  it("may be root's where systemd gave it, with the mask of an access list in the group's place", async () => {
    const path = file("vault-run-key", key, 0o440);
    const asCredential = () => open({ CREDENTIALS_DIRECTORY: folder });
    // Whoever is not root cannot make such a file: its own is refused.
    expect(await asCredential()).toBe(process.getuid?.() === 0 ? "crawler" : "key-file");
    expect(await open({ VAULT_RUN_KEY_FILE: path })).toBe("key-file");
    for (const mode of [0o404, 0o444, 0o460, 0o450]) {
      chmodSync(path, mode);
      expect(await asCredential(), mode.toString(8)).toBe("key-file");
    }
    chmodSync(path, 0o440);
    for (const [uid, gid] of process.getuid?.() === 0 ? [[0, 1000] as const, [1000, 0] as const] : []) {
      chownSync(path, uid, gid);
      expect(await asCredential(), `${uid}:${gid}`).toBe("key-file");
    }
  });

  it("must be UTF-8 throughout, its comments too", async () => {
    const keyFile = file("bytes.key", "", 0o600);
    writeFileSync(keyFile, Buffer.concat([Buffer.from(key), Buffer.from("# \xff\n", "latin1")]));
    expect(await open({}, { agent: "crawler", keyFile })).toBe("key-file");
  });

  it("without pins needs VAULT_RUN_OWNER or a machine that knows the vault", async () => {
    const owner = (await vault.owner()).signingKey.verifyKey;
    expect(await open({ VAULT_RUN_KEY: bare(key) })).toBe("untrusted");
    expect(await open({ VAULT_RUN_KEY: bare(key), VAULT_RUN_OWNER: owner })).toBe("crawler");
    expect(
      await open({
        VAULT_RUN_KEY: bare(key),
        VAULT_RUN_OWNER: owner.replace(/^./, (c) => (c === "A" ? "B" : "A")),
      }),
    ).toBe("untrusted");
    expect(await open({ VAULT_RUN_KEY: key, VAULT_RUN_OWNER: Buffer.alloc(32).toString("base64") })).toBe(
      "untrusted",
    );
    expect(await open({ VAULT_RUN_KEY: key, VAULT_RUN_OWNER: "nonsense" })).toBe("untrusted");
    const knowing = { ...vault.machine, env: { VAULT_RUN_KEY: bare(key) } };
    expect((await AgentSession.open(knowing, { agent: "crawler" }, () => {})).name).toBe("crawler");
  });

  it.each([
    ["two identities", (text: string) => text + bare(text)],
    ["no identity", (text: string) => text.replace(/AGE-SECRET.*/, "")],
    ["two vaults", (text: string) => text.replace(/(# vault: .*)/, "$1\n$1")],
    ["a broken owner", (text: string) => text.replace(/(# owner: )..../, "$1!!!!")],
    ["a pin with a word too many", (text: string) => text.replace(/(# owner: .*)/, "$1 (alice)")],
    ["a broken former owner", (text: string) => `# former-owner: x\n${text}`],
    ["a former owner misspelt", (text: string) => `# Former-Owner: x\n${text}`],
    ["a pin in upper case", (text: string) => text.replace("# owner:", "# Owner:")],
    ["a broken agent", (text: string) => text.replace("# agent: crawler", "# agent: ../x")],
  ])("is refused with %s", async (_, edit) => {
    expect(await open({ VAULT_RUN_KEY: edit(key) })).toBe("key-file");
  });

  it.each([
    ["a word with two letters swapped", "# onwer: x"],
    ["a word with one letter more", "# former-owners = x"],
    ["what says that it is vault-run's", "# vault-run owner: x"],
    ["a verify key with another word", `# signer: ${"A".repeat(43)}=`],
  ])("is refused with a comment that may be a pin misspelt, named by its line: %s", async (_, comment) => {
    const text = key.replace(/^# agent: /m, `# a comment: of mine\n${comment}\n$&`);
    const machine = vault.elsewhere({ VAULT_RUN_KEY: text });
    await expect(AgentSession.open(machine, { agent: "crawler" }, () => {})).rejects.toMatchObject({
      code: "key-file",
      message: "not a key file, its line 4 is nearly a pin, and none: VAULT_RUN_KEY",
    });
  });

  it("is read with CRLF line ends too", async () => {
    expect(await open({ VAULT_RUN_KEY: key.replaceAll("\n", "\r\n") })).toBe("crawler");
  });

  it("never shows in an error (promise 10)", async () => {
    const wrong = (await generateIdentity("classic")).reveal();
    for (const text of [`${wrong}\n${wrong}`, wrong.slice(0, -1), key.replace(/AGE-SECRET.*/, wrong)]) {
      try {
        await AgentSession.open(vault.elsewhere({ VAULT_RUN_KEY: text }), { agent: "crawler" }, () => {});
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(wrong.slice(20, 40));
      }
    }
  });
});

describe("an owner's key", () => {
  it("is not an agent's, nor another vault's owner's", async () => {
    const agentKey = file("agent.key", key);
    const open = (keyFile: string) => OwnerSession.open(vault.machine, vault.root, keyFile);
    await expect(open(agentKey)).rejects.toThrow(/key of agent crawler/);
    const foreign = await TestVault.make();
    await expect(open(foreign.ownerKeyPath())).rejects.toThrow(/this is vault/);
    const stranger = file("stranger.key", (await generateIdentity("classic")).reveal());
    await expect(open(stranger)).rejects.toThrow(VaultError);
    expect(dirname(agentKey)).toBe(folder);
  });
});

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { seal } from "../../src/age/seal.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { encodeRecord, signRecord } from "../../src/vault/record.ts";
import type { VaultErrorCode } from "../../src/vault-error.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

// What someone who can push, but holds no owner key, may try. Each attack is made on a real vault in a real repository;
// both an agent's read and an owner's change must refuse it, and nothing may change on disk.

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.addAgent("other");
  await made.set("stripe/API_KEY", "sk_live_one");
  await made.set("test/API_KEY", "sk_test_one");
  await made.grant("crawler", "stripe");
  await made.grant("other", "test");
  // So that the machine that has seen the vault has verified all of it before.
  await made.readAs("crawler", "stripe/API_KEY");
  await made.readAs("other", "test/API_KEY");
});
let vault: TestVault;
beforeEach(() => {
  vault = template.copy();
});

const at = (path: string) => join(vault.root, path);
const load = (path: string) => JSON.parse(readFileSync(at(path), "utf8"));
const store = (path: string, record: object) => writeFileSync(at(path), encodeRecord(record as never));

/** The refusals of an agent's read on a fresh machine, on a machine that has seen the vault, and of an owner's change. */
async function verdicts(ref = "stripe/API_KEY"): Promise<(VaultErrorCode | undefined)[]> {
  const fresh = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("crawler"), "utf8") });
  const before = vault.git("status", "--porcelain", "--untracked-files=all");
  const found = [
    await codeOf(() => vault.readAs("crawler", ref, fresh)),
    await codeOf(() => vault.readAs("crawler", ref)),
    await codeOf(() => vault.revoke("crawler", "stripe")),
  ];
  expect(vault.git("status", "--porcelain", "--untracked-files=all")).toBe(before);
  return found;
}

describe("a repo writer without an owner key", () => {
  it("cannot give an agent another public key (A1)", async () => {
    const keyPath = vault.keyPath("crawler");
    const mallory = await generateIdentity("classic");
    const record = {
      ...load("agents/crawler/agent.json"),
      recipient: await recipientOf(mallory),
      serial: Date.now() * 2,
    };
    store("agents/crawler/agent.json", record);
    expect(existsSync(keyPath)).toBe(true);
    const fresh = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(keyPath, "utf8") });
    expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY", fresh))).toBe("record-signature");
    expect(await codeOf(() => vault.grant("crawler", "test"))).toBe("record-signature");
    expect(await codeOf(() => vault.revoke("crawler", "stripe"))).toBe("record-signature");
  });

  it("cannot add an agent, signed by a key of its own (A1)", async () => {
    const mallory = await generateIdentity("classic");
    const key = SigningKey.derive(mallory);
    const { signatures: _, ...model } = load("agents/crawler/agent.json");
    const record = signRecord(
      { ...model, name: "mallory", recipient: await recipientOf(mallory), verifyKey: key.verifyKey },
      key,
    );
    mkdirSync(at("agents/mallory"));
    store("agents/mallory/agent.json", record);
    expect(await codeOf(() => vault.grant("mallory", "stripe"))).toBe("record-signature");
    expect(await codeOf(async () => (await vault.owner()).vault.agents())).toBe("record-signature");
  });

  it.each(["agents/crawler/grants", "groups/stripe/secrets"])(
    "cannot put a file in the place of the folder %s (A19)",
    async (folder) => {
      rmSync(at(folder), { recursive: true });
      writeFileSync(at(folder), "");
      expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY"))).toBe("record-missing");
      expect(await codeOf(() => vault.revoke("crawler", "stripe"))).toBe("record-missing");
    },
  );

  it("cannot give itself a group by copying or renaming a grant (A1, A4)", async () => {
    cpSync(at("agents/crawler/grants/stripe.json"), at("agents/other/grants/stripe.json"));
    const machine = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("other"), "utf8") });
    expect(await codeOf(() => vault.readAs("other", "stripe/API_KEY", machine))).toBe("record-invalid");
    store("agents/other/grants/stripe.json", {
      ...load("agents/crawler/grants/stripe.json"),
      agent: "other",
    });
    expect(await codeOf(() => vault.readAs("other", "stripe/API_KEY", machine))).toBe("record-signature");
  });

  it("cannot take the owner's place (A2)", async () => {
    const mallory = await generateIdentity("classic");
    const key = SigningKey.derive(mallory);
    const { signatures: _, ...record } = load("vault.json");
    const owners = [{ name: "owner", recipient: await recipientOf(mallory), verifyKey: key.verifyKey }];
    store("vault.json", signRecord({ ...record, owners, serial: record.serial + 1 }, key));
    expect(await verdicts()).toEqual(["untrusted", "untrusted", "untrusted"]);
  });

  it("cannot seal a value of its own to the group (A3)", async () => {
    const { recipient } = load("groups/stripe/group.json");
    const sealed = (await seal(Buffer.from("forged"), [recipient])).toString("base64");
    store("groups/stripe/secrets/API_KEY.json", { ...load("groups/stripe/secrets/API_KEY.json"), sealed });
    expect(await verdicts()).toEqual(["record-signature", "record-signature", "record-signature"]);
  });

  it("cannot copy a record over another (A4)", async () => {
    cpSync(at("groups/test/secrets/API_KEY.json"), at("groups/stripe/secrets/API_KEY.json"));
    expect(await verdicts()).toEqual(["record-invalid", "record-invalid", "record-invalid"]);
  });

  it("cannot bring a record of another vault (A4)", async () => {
    const foreign = await TestVault.make();
    await foreign.set("stripe/API_KEY", "sk_live_foreign");
    cpSync(join(foreign.root, "groups/stripe"), at("groups/stripe"), { recursive: true });
    expect(await verdicts()).toEqual(["wrong-vault", "wrong-vault", "wrong-vault"]);
  });

  it("cannot put an older record back where a newer one was seen (A5, promise 6)", async () => {
    const old = readFileSync(at("groups/stripe/secrets/API_KEY.json"));
    await vault.set("stripe/API_KEY", "sk_live_two");
    expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe("sk_live_two");
    writeFileSync(at("groups/stripe/secrets/API_KEY.json"), old);
    expect((await verdicts()).slice(1)).toEqual(["record-rollback", "record-rollback"]);
  });

  it("cannot bring a revoked reader back with an old group record (A5, A8, promise 7)", async () => {
    const old = tempFolder();
    cpSync(vault.root, old, { recursive: true });
    await vault.revoke("crawler", "stripe");
    rmSync(at("groups/stripe"), { recursive: true });
    cpSync(join(old, "groups/stripe"), at("groups/stripe"), { recursive: true });
    expect(await codeOf(() => vault.set("stripe/NEW_KEY", "sk_live_new"))).toBe("record-rollback");
    expect(existsSync(at("groups/stripe/secrets/NEW_KEY.json"))).toBe(false);
  });

  it("cannot show another record under a serial that was seen (A6)", async () => {
    const { signatures: _, ...record } = load("groups/stripe/group.json");
    store(
      "groups/stripe/group.json",
      signRecord({ ...record, description: "another" }, (await vault.owner()).signingKey),
    );
    expect((await verdicts()).slice(1)).toEqual(["record-conflict", "record-conflict"]);
  });

  it("leaves no pin behind when a later check fails (A7)", async () => {
    const machine = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("crawler"), "utf8") });
    const good = readFileSync(at("groups/stripe/secrets/API_KEY.json"));
    await vault.set("stripe/API_KEY", "sk_live_two");
    const newer = load("groups/stripe/secrets/API_KEY.json");
    store("groups/stripe/secrets/API_KEY.json", {
      ...newer,
      sealed: Buffer.from("not age").toString("base64"),
    });
    expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY", machine))).toBe("record-signature");
    expect(existsSync(join(machine.home, ".local/state/vault-run"))).toBe(false);
    writeFileSync(at("groups/stripe/secrets/API_KEY.json"), good);
    expect(await vault.readAs("crawler", "stripe/API_KEY", machine)).toBe("sk_live_one");
  });

  it("cannot make a removal of records pass for nothing", async () => {
    expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe("sk_live_one");
    rmSync(at("groups/stripe/secrets/API_KEY.json"));
    expect(await codeOf(async () => (await vault.agent("crawler")).vault.secrets("stripe" as never))).toBe(
      "record-missing",
    );
    expect(await codeOf(() => vault.revoke("crawler", "stripe"))).toBe("record-missing");
  });

  it("cannot make an owner drop an agent that remains", async () => {
    await vault.grant("other", "stripe");
    rmSync(at("agents/other"), { recursive: true });
    expect(await codeOf(() => vault.revoke("crawler", "stripe"))).toBe("record-missing");
  });

  it("cannot hide an agent from an owner who has seen nothing yet by taking its record away", async () => {
    await vault.grant("other", "stripe");
    rmSync(at("agents/other/agent.json"));
    rmSync(join(vault.machine.home, ".local"), { recursive: true });
    expect(await codeOf(() => vault.revoke("crawler", "stripe"))).toBe("record-missing");
  });

  it("cannot undo a removal by deleting its tombstone", async () => {
    await vault.revoke("crawler", "stripe");
    rmSync(at("agents/crawler/grants/stripe.json"));
    expect(await codeOf(() => vault.grant("crawler", "stripe"))).toBe("record-missing");
  });

  it("cannot lead a reader out of the vault by a link (A13)", async () => {
    const outside = tempFolder();
    cpSync(at("groups/stripe"), join(outside, "stripe"), { recursive: true });
    rmSync(at("groups/stripe"), { recursive: true });
    symlinkSync(join(outside, "stripe"), at("groups/stripe"));
    expect(await verdicts()).toEqual(["record-invalid", "record-invalid", "record-invalid"]);
  });

  it("cannot make a reader open anything but a plain file (A13, A19)", async () => {
    const path = at("groups/stripe/secrets/API_KEY.json");
    renameSync(path, `${path}.kept`);
    symlinkSync(`${path}.kept`, path);
    expect((await verdicts())[0]).toBe("record-invalid");
    rmSync(path);
    execaSync("mkfifo", [path]);
    expect((await verdicts())[0]).toBe("record-invalid");
  });

  it("cannot plant names that some file systems take for one (A13)", async () => {
    writeFileSync(at("groups/stripe/secrets/api_key.json"), "{}");
    expect(await codeOf(async () => (await vault.agent("crawler")).vault.secrets("stripe" as never))).toBe(
      "bad-name",
    );
  });

  it("cannot plant a name outside the grammar (A13)", async () => {
    writeFileSync(at("groups/stripe/secrets/..json"), "{}");
    expect(await codeOf(async () => (await vault.agent("crawler")).vault.secrets("stripe" as never))).toBe(
      "bad-name",
    );
  });

  it("cannot feed a huge file to a reader (A19)", async () => {
    execaSync("truncate", ["-s", "1G", at("groups/stripe/secrets/API_KEY.json")]);
    expect((await verdicts())[0]).toBe("record-invalid");
  });
});

describe("any one byte of any record that a launch reads", () => {
  it("cannot be another without the launch being refused, naming the file", {
    timeout: 240_000,
  }, async () => {
    const machine = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("crawler"), "utf8") });
    const paths = [
      "vault.json",
      "agents/crawler/agent.json",
      "agents/crawler/grants/stripe.json",
      "groups/stripe/group.json",
      "groups/stripe/secrets/API_KEY.json",
    ];
    let tried = 0;
    for (const path of paths) {
      const good = readFileSync(at(path));
      for (let i = 0; i < good.length; i++) {
        const bad = Buffer.from(good);
        bad[i] = (bad[i] ?? 0) ^ (1 << (i % 7));
        writeFileSync(at(path), bad);
        tried++;
        await expect(vault.readAs("crawler", "stripe/API_KEY", machine)).rejects.toMatchObject({
          message: expect.stringContaining(tellsOf(path)),
        });
      }
      writeFileSync(at(path), good);
    }
    expect(tried).toBeGreaterThan(5000);
    // Nothing was pinned, and refusals were recorded, in the log of the vault that the key is for.
    expect(readdirSync(join(machine.home, ".local/state/vault-run"))).toEqual([vault.id]);
    const state = join(machine.home, ".local/state/vault-run", vault.id);
    expect(readdirSync(state)).toEqual(["audit.jsonl"]);
    expect(readFileSync(join(state, "audit.jsonl"), "utf8")).toMatch(/^(\{"action":"denied",.*\n)+$/);
    expect(await vault.readAs("crawler", "stripe/API_KEY", machine)).toBe("sk_live_one");
  });
});

/** A changed vault id makes the key another vault's before the record is looked at further: then the id is named. */
function tellsOf(path: string): string {
  return path === "vault.json" ? "vault" : `.vault/${path}`;
}

describe("a secret of another epoch than its group's", () => {
  it("is not valid", async () => {
    const stale = readFileSync(at("groups/stripe/secrets/API_KEY.json"));
    await vault.grant("other", "stripe");
    await vault.revoke("crawler", "stripe");
    writeFileSync(at("groups/stripe/secrets/API_KEY.json"), stale);
    const fresh = vault.elsewhere({ VAULT_RUN_KEY: readFileSync(vault.keyPath("other"), "utf8") });
    expect(await codeOf(() => vault.readAs("other", "stripe/API_KEY", fresh))).toBe("record-epoch");
  });
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import type { Admin } from "../../src/admin/admin.ts";
import {
  addAgent,
  type Change,
  grant,
  importSecrets,
  rekeyAgent,
  removeAgent,
  revoke,
  setPolicy,
  setSecret,
  unsetSecret,
} from "../../src/admin/change.ts";
import { createVault, openAdmin } from "../../src/admin/index.ts";
import { openAdminOn } from "../../src/admin/open-admin.ts";
import { auditLogPath } from "../../src/audit/log.ts";
import { Secret } from "../../src/vault/secret.ts";
import { codeOf, TestVault } from "../fixtures/vault.ts";

const template = await TestVault.template("classic", async (made) => {
  await made.addAgent("crawler");
  await made.set("stripe/API_KEY", "sk_live_value");
  await made.set("stripe/WEBHOOK", "whsec_value");
  await made.grant("crawler", "stripe");
});
let vault: TestVault;
let admin: Admin;
beforeEach(async () => {
  vault = template.copy();
  admin = await openAdminOn(vault.machine, { vault: vault.repo }, (text) => {
    throw new Error(text);
  });
});

const head = () => vault.git("rev-parse", "--short", "HEAD");
const lines = () => readFileSync(auditLogPath(vault.machine, vault.id), "utf8").trimEnd().split("\n");
const lastLine = () => JSON.parse(lines().at(-1) ?? "");

describe("a change that is planned", () => {
  it("is told and not made: no file, no commit, no line in the audit log", async () => {
    const before = [head(), vault.git("status", "--porcelain", "--untracked-files=all"), lines().length];
    const planned = await admin.plan(revoke("crawler", "stripe"));
    expect(planned).toMatchObject({ action: "revoke", message: "vault-run: revoke stripe from crawler" });
    expect(planned.paths.toSorted()).toEqual([
      "agents/crawler/grants/stripe.json",
      "groups/stripe/group.json",
      "groups/stripe/secrets/API_KEY.json",
      "groups/stripe/secrets/WEBHOOK.json",
    ]);
    expect(planned.rotate.map(({ ref }) => ref)).toEqual(["stripe/API_KEY", "stripe/WEBHOOK"]);
    expect([head(), vault.git("status", "--porcelain", "--untracked-files=all"), lines().length]).toEqual(
      before,
    );
    expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe("sk_live_value");
  });

  it("makes no key file either", async () => {
    await admin.plan(addAgent("mailer"));
    expect(existsSync(vault.keyPath("mailer"))).toBe(false);
  });
});

describe("a change that is applied", () => {
  it("is one commit of the vault's files, and a line in the audit log, as the verb's", async () => {
    const done = await admin.apply(revoke("crawler", "stripe"));
    expect(done.commit).toBe(head());
    expect(vault.git("log", "-1", "--format=%s")).toBe("vault-run: revoke stripe from crawler");
    const files = vault.git("show", "--name-only", "--format=", "HEAD").split("\n").sort();
    expect(files).toEqual(done.paths.map((path) => `.vault/${path}`).toSorted());
    expect(lastLine()).toMatchObject({ action: "revoke", agent: "crawler", group: "stripe" });
    expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY"))).toBe("not-granted");
  });

  it("writes the files and leaves the commit to who has the repo, where that is asked for", async () => {
    const before = head();
    const done = await admin.apply(setSecret("stripe/API_KEY", "sk_live_other"), { commit: false });
    expect([done.commit, head()]).toEqual([null, before]);
    expect(vault.git("status", "--porcelain")).toContain("API_KEY.json");
    expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe("sk_live_other");
  });

  it("takes values as text, as bytes and as secrets, and leaves those to their owners", async () => {
    const secret = new Secret("x/Y", Buffer.from("third_value"));
    for (const [value, text] of [
      ["first_välue", "first_välue"],
      [Buffer.from("second_value"), "second_value"],
      [secret, "third_value"],
    ] as const) {
      const { result } = await admin.apply(setSecret("stripe/API_KEY", value));
      expect(result).toEqual({ outcome: "new value" });
      expect(await vault.readAs("crawler", "stripe/API_KEY")).toBe(text);
    }
    expect(secret.reveal()).toBe("third_value");
    expect((await admin.apply(setSecret("stripe/API_KEY", secret))).result).toEqual({
      outcome: "same value",
    });
  });

  it("says what it led to", async () => {
    const imported = [
      { ref: "db/PASSWORD", value: "db_value" },
      { ref: "stripe/API_KEY", value: "sk_live_other" },
      { ref: "stripe/api_key", value: "sk_live_other" },
    ];
    expect((await admin.apply(importSecrets(imported))).result.imported).toEqual([
      { ref: "db/PASSWORD", outcome: "new", why: null },
      { ref: "stripe/API_KEY", outcome: "skipped", why: "exists" },
      { ref: "stripe/api_key", outcome: "skipped", why: "differs only in letter case from API_KEY" },
    ]);
    const twice = importSecrets([...imported, { ref: "db/PASSWORD", value: "db_other" }]);
    expect(await codeOf(() => admin.apply(twice))).toBe("usage");
    await admin.apply(unsetSecret("stripe/WEBHOOK"));
    expect(await codeOf(() => vault.readAs("crawler", "stripe/WEBHOOK"))).toBe("unknown-secret");
    const { keyFile, key } = (await admin.apply(addAgent("mailer"))).result;
    expect([keyFile, key]).toEqual([vault.keyPath("mailer"), null]);
    await admin.apply(grant("mailer", "db", { expires: new Date(vault.machine.now() + 90_000) }));
    expect(await vault.readAs("mailer", "db/PASSWORD")).toBe("db_value");
    vault.passTime(91_000);
    expect(await codeOf(() => vault.readAs("mailer", "db/PASSWORD"))).toBe("expired");
    const removed = await admin.apply(removeAgent("mailer"));
    expect(removed.rotate.map(({ ref }) => ref)).toEqual(["db/PASSWORD"]);
  });

  it("sets what is given of a group's policy, keeps the rest, and writes nothing where it is that already", async () => {
    const policyOf = async () => (await admin.list()).groups.find(({ name }) => name === "stripe")?.policy;
    expect(await policyOf()).toEqual({ reveal: false, commands: null, origins: [] });
    const origins = ["https://api.example.org"];
    const { commit } = await admin.apply(setPolicy("stripe", { commands: [["gh", "api"]], origins }));
    expect(commit).toBe(head());
    await admin.apply(setPolicy("stripe", { reveal: true, commands: [] }));
    expect(await policyOf()).toEqual({ reveal: true, commands: [], origins });
    expect(JSON.parse(lines().at(-1) ?? "")).toMatchObject({ action: "policy", group: "stripe" });
    const again = await admin.apply(setPolicy("stripe", { reveal: true, origins }));
    expect([again.paths, again.commit]).toEqual([[], null]);
    await admin.apply(setPolicy("stripe", { commands: null }));
    expect(await policyOf()).toEqual({ reveal: true, commands: null, origins });
  });

  it("refuses rules that bind nothing, before anything is opened", async () => {
    for (const commands of [[[]], [["./charge"]], [["gh", ""]]])
      expect(await codeOf(async () => setPolicy("stripe", { commands }))).toBe("usage");
    for (const origin of ["http://api.example.org", "https://api.example.org/path", "api.example.org"])
      expect(await codeOf(async () => setPolicy("stripe", { origins: [origin] }))).toBe("usage");
    expect(() => setPolicy("stripe", { reveal: "no" as never })).toThrow(TypeError);
    expect(await codeOf(() => admin.plan(setPolicy("nothing", { reveal: true })))).toBe("unknown-group");
  });

  it("hands over a new key that is to lie nowhere, and shows nothing of it (promise 10)", async () => {
    const { result, rotate } = await admin.apply(rekeyAgent("crawler", { keyFile: null }));
    expect(result.keyFile).toBeNull();
    expect(inspect(result, { showHidden: true, depth: 9 }) + JSON.stringify(result)).not.toContain(
      "AGE-SECRET",
    );
    expect(result.key?.reveal()).toContain("AGE-SECRET-KEY-");
    expect(rotate.map(({ ref }) => ref)).toEqual(["stripe/API_KEY", "stripe/WEBHOOK"]);
    expect(await codeOf(() => vault.readAs("crawler", "stripe/API_KEY"))).toBe("wrong-key");
  });

  it("writes nothing where there is nothing to do, or where it is refused", async () => {
    await admin.apply(revoke("crawler", "stripe"));
    const before = [head(), lines().length];
    const again = await admin.apply(revoke("crawler", "stripe"));
    expect([again.commit, again.paths]).toEqual([null, []]);
    expect(await codeOf(() => admin.apply(grant("nobody", "stripe")))).toBe("unknown-agent");
    expect(await codeOf(() => admin.apply(setSecret("stripe/API_KEY", "")))).toBe("bad-value");
    expect(await codeOf(() => admin.apply(grant("crawler", "stripe", { expires: "yesterday" })))).toBe(
      "bad-time",
    );
    expect([head(), vault.git("status", "--porcelain")]).toEqual([before[0], ""]);
  });
});

describe("a change", () => {
  it("refuses bad names before anything is opened", async () => {
    expect(await codeOf(() => setSecret("stripe", "x"))).toBe("bad-name");
    expect(await codeOf(() => grant("../crawler", "stripe"))).toBe("bad-name");
    expect(await codeOf(() => addAgent("mailer", { description: "two\nlines" }))).toBe("usage");
  });

  it("refuses an option that there is none of, and none is done without it", async () => {
    const none = (option: string) => `no such option: "${option}"`;
    const bad = (options: object) => options as never;
    expect(() => setSecret("a/B", "x", bad({ unsafename: true }))).toThrow(none("unsafename"));
    expect(() => importSecrets([], bad({ overwrite: true }))).toThrow(none("overwrite"));
    const item = bad({ ref: "a/B", value: "x", expire: "1h" });
    expect(() => importSecrets([item])).toThrow(none("expire"));
    expect(() => grant("crawler", "stripe", bad({ expire: "1h" }))).toThrow(none("expire"));
    expect(() => addAgent("mailer", bad({ keyfile: null }))).toThrow(none("keyfile"));
    expect(() => rekeyAgent("crawler", bad({ keyfile: null }))).toThrow(none("keyfile"));
    const before = head();
    const change = setSecret("stripe/API_KEY", "sk_live_other");
    await expect(admin.apply(change, bad({ comit: false }))).rejects.toThrow(none("comit"));
    expect([head(), vault.git("status", "--porcelain")]).toEqual([before, ""]);
    await expect(openAdmin(bad({ ownerkeyfile: "x" }))).rejects.toThrow(none("ownerkeyfile"));
    await expect(createVault(undefined as never)).rejects.toThrow("what holds options is no object");
    await expect(createVault(bad({ folder: vault.repo, ownername: "ann" }))).rejects.toThrow(
      none("ownername"),
    );
  });

  it("holds no value that is seen from outside", () => {
    const change = setSecret("stripe/API_KEY", "sk_live_value");
    expect(inspect(change, { showHidden: true, depth: 9 }) + JSON.stringify(change)).not.toContain("sk_live");
  });

  it("is made by this module's functions alone", async () => {
    await expect(admin.apply({ action: "set" } as Change<unknown>)).rejects.toThrow(TypeError);
    expect(() => setSecret("stripe/API_KEY", 7 as unknown as string)).toThrow(TypeError);
  });
});

describe("the list of a vault", () => {
  it("has who and what there is now, and no value (promise 10)", async () => {
    await admin.apply(
      setSecret("db/PASSWORD", "db_value", { description: "the database", env: "PGPASSWORD" }),
    );
    await admin.apply(addAgent("mailer", { description: "sends" }));
    await admin.apply(grant("mailer", "db", { expires: "30d" }));
    await admin.apply(revoke("crawler", "stripe"));
    const { agents, groups, secrets } = await admin.list();
    expect(agents).toMatchObject([
      { name: "crawler", description: null, grants: [] },
      { name: "mailer", description: "sends", grants: [{ group: "db", expiresAt: expect.any(String) }] },
    ]);
    expect(groups.map(({ name }) => name)).toEqual(["db", "stripe"]);
    expect(secrets).toMatchObject([
      { ref: "db/PASSWORD", variable: "PGPASSWORD", description: "the database", exposed: false },
      { ref: "stripe/API_KEY", group: "stripe", name: "API_KEY", variable: "API_KEY", exposed: true },
      { ref: "stripe/WEBHOOK", expiresAt: null, exposed: true },
    ]);
    expect(JSON.stringify([agents, groups, secrets])).not.toMatch(/db_value|sk_live|whsec/);
  });

  it("is refused where the vault is, and is pinned", async () => {
    const options = { vault: vault.repo, ownerKeyFile: vault.ownerKeyPath() };
    const elsewhere = await openAdminOn(vault.elsewhere(), options, () => {});
    const earlier = vault.git("rev-parse", "HEAD");
    await vault.set("stripe/API_KEY", "sk_live_other");
    await elsewhere.list();
    vault.git("reset", "--quiet", "--hard", earlier);
    expect(await codeOf(() => elsewhere.list())).toBe("record-rollback");
  });
});

describe("an owner's key", () => {
  it("is not looked for elsewhere where an option is empty, nor is the vault", async () => {
    for (const options of [
      { vault: vault.repo, ownerKeyFile: "" },
      { vault: "", ownerKeyFile: vault.ownerKeyPath() },
    ])
      expect(await codeOf(() => openAdminOn(vault.machine, options, () => {}))).toBe("usage");
  });

  it("is looked for where the verbs look, and an agent's is none", async () => {
    const open = (machine = vault.machine, ownerKeyFile?: string) =>
      codeOf(() => openAdminOn(machine, { vault: vault.repo, ownerKeyFile }, () => {}));
    expect([admin.id, admin.owner]).toEqual([vault.id, "owner"]);
    expect(await open(vault.elsewhere())).toBe("no-key");
    expect(await open(vault.machine, vault.keyPath("crawler"))).toBe("wrong-key");
    expect(await open(vault.machine, join(vault.repo, "none"))).toBe("key-file");
  });
});

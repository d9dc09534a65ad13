import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { crawlerTemplate, VALUE } from "../fixtures/crawler.ts";
import { Program } from "../fixtures/program.ts";
import { answerOf, type Running } from "../fixtures/project.ts";

const template = await crawlerTemplate();
let program: Program;
beforeEach(() => {
  program = template.copy();
});

const HEAD = `
  import { openVault, Secret, VaultError } from "vault-run";
  const answer = (value) => console.log(JSON.stringify(value));
  const codeOf = async (attempt) => {
    try { await attempt(); return null; } catch (error) {
      return error instanceof VaultError ? error.code : error.name + ": " + error.message;
    }
  };
`;
const answer = (body: string, running?: Running) => answerOf(HEAD + body, program, running);
const keyFile = () => join(program.home, ".config/vault-run", program.vaultId, "agents/crawler.key");
const lastLine = () => program.auditLines().at(-1);

describe("a vault opened by a program", () => {
  it("gives the value of a secret to who asks for it, and is recorded before (promise 11)", async () => {
    const got = await answer(`
      const vault = await openVault();
      const secret = await vault.get("stripe/API_KEY");
      answer([vault.agent, secret instanceof Secret, secret.ref, secret.reveal(), secret.bytes().toString(), secret]);
    `);
    expect(got).toEqual(["crawler", true, "stripe/API_KEY", VALUE, VALUE, "[REDACTED:stripe/API_KEY]"]);
    const line = lastLine() as { secrets: { name: string }[] };
    expect(line).toMatchObject({ action: "sdk", agent: "crawler" });
    expect(line.secrets.map(({ name }) => name)).toEqual(["API_KEY"]);
    expect(await program.must(["audit"])).toMatch(/sdk +crawler .*verified +stripe\/API_KEY/);
  });

  it("lists what was granted, without opening or recording any of it", async () => {
    await program.set("stripe/WEBHOOK", "whsec_0123456789", "--env", "STRIPE_WEBHOOK", "--as-file");
    await program.set("mail/PASSWORD", "not-granted-0123");
    const before = program.auditLines().length;
    const [groups, list] = (await answer(`
      const vault = await openVault();
      answer([await vault.groups(), await vault.list()]);
    `)) as [string[], Record<string, unknown>[]];
    expect(groups).toEqual(["stripe"]);
    expect(list.map(({ ref, variable, deliver }) => [ref, variable, deliver])).toEqual([
      ["stripe/API_KEY", "API_KEY", "env"],
      ["stripe/WEBHOOK", "STRIPE_WEBHOOK", "file"],
    ]);
    expect(list[0]).toMatchObject({ group: "stripe", name: "API_KEY", expiresAt: null, description: null });
    expect(program.auditLines()).toHaveLength(before);
  });

  it("gives the variables of a launch: what was granted, or only what is named", async () => {
    await program.set("stripe/WEBHOOK", "whsec_0123456789", "--env", "STRIPE_WEBHOOK");
    await program.set("stripe/CERT", Buffer.from([0xff, 0, 1, 2, 3, 4, 5, 6]), "--as-file");
    const got = await answer(`
      const vault = await openVault();
      const all = await vault.env();
      const one = await vault.env({ only: ["stripe/WEBHOOK"] });
      answer([all.names, all.reveal(), one.reveal(), (await vault.env({ only: [] })).names,
        one.get("STRIPE_WEBHOOK").ref, one.get("API_KEY") ?? null,
        await codeOf(() => vault.env({ only: ["stripe/CERT"] })), one]);
    `);
    const webhook = { STRIPE_WEBHOOK: "whsec_0123456789" };
    expect(got).toEqual([
      ["API_KEY", "STRIPE_WEBHOOK"],
      { API_KEY: VALUE, ...webhook },
      webhook,
      [],
      "stripe/WEBHOOK",
      null,
      "bad-value",
      { STRIPE_WEBHOOK: "[REDACTED:stripe/WEBHOOK]" },
    ]);
  });

  it("gives the bytes of what is no text, and no text of them", async () => {
    await program.set("stripe/CERT", Buffer.from([0xff, 0, 1, 2, 3, 4, 5, 6]), "--as-file");
    const got = await answer(`
      const secret = await (await openVault()).get("stripe/CERT");
      answer([secret.isText(), secret.bytes().toString("hex"), structuredClone(secret.bytes()).buffer.byteLength, await codeOf(() => secret.reveal())]);
    `);
    expect(got).toEqual([
      false,
      "ff00010203040506",
      8,
      "TypeError: the value of stripe/CERT is not UTF-8 text",
    ]);
  });

  it("reads the vault as it is by then: a new value, then a revoked grant", async () => {
    const bin = JSON.stringify(join(program.env.PATH?.split(":")[0] ?? "", "vault-run"));
    const got = await answer(`
      import { execFileSync } from "node:child_process";
      const owner = (args, input) => execFileSync(${bin}, args, { input, stdio: "pipe", env: { ...process.env, VAULT_RUN_AGENT: undefined } });
      const vault = await openVault();
      const before = await vault.get("stripe/API_KEY");
      owner(["set", "stripe/API_KEY"], "sk_live_52Hklmnopqrst");
      const after = await vault.get("stripe/API_KEY");
      owner(["revoke", "crawler", "stripe"]);
      answer([before.reveal(), after.reveal(), await codeOf(() => vault.get("stripe/API_KEY")), await vault.groups()]);
    `);
    expect(got).toEqual([VALUE, "sk_live_52Hklmnopqrst", "not-granted", []]);
    expect(lastLine()).toMatchObject({ action: "denied", reason: "not-granted", agent: "crawler" });
  });

  it("answers many questions at once, each with a line of its own", async () => {
    const got = await answer(`
      const vault = await openVault();
      const secrets = await Promise.all(Array.from({ length: 20 }, () => vault.get("stripe/API_KEY")));
      answer(new Set(secrets.map((secret) => secret.reveal())).size);
    `);
    expect(got).toBe(1);
    expect(program.auditLines().filter(({ action }) => action === "sdk")).toHaveLength(20);
    expect((await program.run(["audit"])).stdout).not.toMatch(/gap|bad/);
  });

  it("is looked at with a warning where nothing can be pinned and the policy is best-effort, as it is read", async () => {
    const lenient = Program.empty();
    await lenient.must(["init", "--classic", "--audit", "best-effort"]);
    await lenient.must(["add-agent", "crawler"]);
    await lenient.set("stripe/API_KEY", VALUE);
    await lenient.must(["grant", "crawler", "stripe"]);
    const pins = join(lenient.home, ".local/state/vault-run", lenient.vaultId, "pins");
    rmSync(pins, { recursive: true });
    writeFileSync(pins, "");
    const body = `
      const told = [];
      const vault = await openVault({ agent: "crawler", onWarning: (text) => told.push(text) });
      const list = (await vault.list()).map(({ ref }) => ref);
      answer([(await vault.get("stripe/API_KEY")).reveal(), list, await vault.groups(), told.length]);
    `;
    expect(await answerOf(HEAD + body, lenient)).toEqual([VALUE, ["stripe/API_KEY"], ["stripe"], 3]);
  });

  it("records where it is told to, and in no other place", async () => {
    const before = program.auditLines().length;
    const got = await answer(`
      import { closeSync, openSync, readFileSync } from "node:fs";
      const fd = openSync("elsewhere.jsonl", "a");
      const vault = await openVault({ auditTo: "fd:" + fd });
      await vault.get("stripe/API_KEY");
      const [line] = readFileSync("elsewhere.jsonl", "utf8").split("\\n");
      closeSync(fd);
      answer([JSON.parse(line).action, await codeOf(() => vault.get("stripe/API_KEY")), await codeOf(() => openVault({ auditTo: "nowhere" }))]);
    `);
    expect(got).toEqual(["sdk", "audit", "usage"]);
    expect(program.auditLines()).toHaveLength(before);
  });

  it("forgets its key when it is closed", async () => {
    const got = await answer(`
      const vault = await openVault();
      vault[Symbol.dispose]();
      answer([await codeOf(() => vault.get("stripe/API_KEY")), await codeOf(() => vault.list())]);
    `);
    expect(got).toEqual(["TypeError: the vault was closed", "TypeError: the vault was closed"]);
  });

  it("overwrites a value that is disposed, and gives it no more", async () => {
    const got = await answer(`
      const secret = await (await openVault()).get("stripe/API_KEY");
      const bytes = secret.bytes();
      secret[Symbol.dispose]();
      answer([bytes.every((byte) => byte === 0), await codeOf(() => secret.reveal()), \`\${secret}\`]);
    `);
    expect(got).toEqual([
      true,
      "TypeError: the value of stripe/API_KEY was disposed",
      "[REDACTED:stripe/API_KEY]",
    ]);
  });
});

describe("the key of a vault opened by a program", () => {
  it("may be named, or given as text, and what is named is final (promise 4)", async () => {
    const text = readFileSync(keyFile(), "utf8");
    const moved = join(program.home, "elsewhere.key");
    writeFileSync(moved, text, { mode: 0o600 });
    rmSync(keyFile());
    const got = await answer(`
      import { readFileSync } from "node:fs";
      const moved = ${JSON.stringify(moved)};
      const read = async (options) => (await (await openVault(options)).get("stripe/API_KEY")).reveal().length;
      answer([
        await codeOf(() => openVault()),
        await read({ keyFile: moved }),
        await read({ key: readFileSync(moved, "utf8") }),
        await codeOf(() => openVault({ keyFile: moved + ".none" })),
        await codeOf(() => openVault({ key: "" })),
        await codeOf(() => openVault({ key: "x", keyFile: moved })),
        await codeOf(() => openVault({ keyfile: moved })),
        await codeOf(() => openVault(null)),
        await codeOf(async () => (await openVault({ keyFile: moved })).env({ only: "stripe/API_KEY" })),
        await codeOf(() => openVault({ agent: "mailer", keyFile: moved })),
      ]);
    `);
    expect(got).toEqual([
      "no-key",
      VALUE.length,
      VALUE.length,
      "key-file",
      "key-file",
      "usage",
      'TypeError: no such option: "keyfile" (there are: agent, vault, keyFile, key, auditTo, onWarning)',
      "TypeError: what holds options is no object (there are: agent, vault, keyFile, key, auditTo, onWarning)",
      "TypeError: only is not a list of strings",
      "wrong-key",
    ]);
  });

  it("is looked for where a launch looks, in its order, and the first one decides", async () => {
    const text = readFileSync(keyFile(), "utf8");
    const body = `answer(await codeOf(async () => (await openVault()).get("stripe/API_KEY")));`;
    const broken = join(program.home, "broken.key");
    writeFileSync(broken, "no key", { mode: 0o600 });
    expect(await answer(body, { env: { VAULT_RUN_KEY: text } })).toBeNull();
    const env = { VAULT_RUN_KEY: text, VAULT_RUN_KEY_FILE: broken };
    expect(await answer(body, { env })).toBe("key-file");
    chmodSync(keyFile(), 0o644);
    expect(await answer(body)).toBe("key-file");
  });

  it("does not matter where vault.json is no record: that is told first, as by a launch", async () => {
    const vaultFile = join(program.repo, ".vault/vault.json");
    const id = program.vaultId;
    writeFileSync(vaultFile, JSON.stringify({ vault: id }));
    rmSync(join(program.home, ".config/vault-run", id, "agents/crawler.key"));
    const options = ['{ agent: "crawler" }', '{ agent: "crawler", key: "none" }', "{}"];
    const codes = options.map((each) => `await codeOf(() => openVault(${each}))`).join();
    expect(await answer(`answer([${codes}])`)).toEqual(options.map(() => "record-invalid"));
  });

  it("opens no other vault that is put in the place of the first", async () => {
    const got = await answer(`
      import { readFileSync, writeFileSync } from "node:fs";
      const vault = await openVault();
      const path = ".vault/vault.json";
      writeFileSync(path, readFileSync(path, "utf8").replaceAll(vault.id, "0".repeat(32)));
      answer(await codeOf(() => vault.get("stripe/API_KEY")));
    `);
    expect(got).toBe("wrong-vault");
  });
});

describe("what a program is refused", () => {
  const owners = ["stripe/API_KEY"];
  /** Each breaks what the crawler reads. */
  const ATTACKS: Record<string, readonly [code: string, attack: () => unknown]> = {
    "a forged value (A3)": [
      "record-signature",
      () => edit((text) => text.replace('"setAt": "2', '"setAt": "3')),
    ],
    "a record that is none (A19)": ["record-invalid", () => edit(() => "{")],
    "a record that was copied over it (A4)": [
      "record-invalid",
      async () => {
        await program.set("stripe/OTHER", "another-value-0123");
        copyFileSync(secretPath().replace("API_KEY", "OTHER"), secretPath());
      },
    ],
    "a link in its place (A13)": [
      "record-invalid",
      () => {
        renameSync(secretPath(), join(program.home, "elsewhere.json"));
        symlinkSync(join(program.home, "elsewhere.json"), secretPath());
      },
    ],
    "a grant that nobody signed (A1)": [
      "record-signature",
      () =>
        editFile(join(program.repo, ".vault/agents/crawler/grants/stripe.json"), (text) =>
          text.replace(/"serial": (\d+)/, (_, serial) => `"serial": ${Number(serial) + 1}`),
        ),
    ],
    "a record that is gone (A5)": ["record-missing", () => rmSync(secretPath())],
    "an older record (A5)": [
      "record-rollback",
      async () => {
        const older = readFileSync(secretPath(), "utf8");
        await program.set(owners[0] ?? "", "sk_live_52Hklmnopqrst");
        await program.must(["get", owners[0] ?? "", "--agent", "crawler"]);
        writeFileSync(secretPath(), older);
      },
    ],
    "another key's vault (A2)": [
      "untrusted",
      () =>
        editFile(join(program.repo, ".vault/vault.json"), (text) =>
          text.replace(/"verifyKey": "[^"]+"/, `"verifyKey": "${"A".repeat(43)}="`),
        ),
    ],
    "an audit log that takes nothing (A20)": [
      "audit",
      () => {
        const path = program.auditLog;
        rmSync(path);
        mkdirSync(path);
      },
    ],
  };
  const secretPath = () => join(program.repo, ".vault/groups/stripe/secrets/API_KEY.json");
  const edit = (change: (text: string) => string) => editFile(secretPath(), change);
  const editFile = (path: string, change: (text: string) => string) => {
    writeFileSync(path, change(readFileSync(path, "utf8")));
  };

  it.each(Object.keys(ATTACKS))("is what a launch is refused, by the same code: %s", async (name) => {
    const [code, attack] = ATTACKS[name] ?? [];
    await attack?.();
    const got = (await answer(`
      try { answer([(await (await openVault()).get("stripe/API_KEY")).reveal()]); }
      catch (error) { answer({ ...error, name: error.name, message: error.message }); }
    `)) as { name: string; code: string; message: string; hint: string };
    expect([got.name, got.code]).toEqual(["VaultError", code]);
    const launch = await program.run(["--agent", "crawler", "--", "true"]);
    expect(launch.status).toBe(125);
    expect(launch.stderr).toContain(`vault-run: ${got.message}\n  ${got.hint}\n`);
  });
});

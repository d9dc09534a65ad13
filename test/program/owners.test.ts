import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { SigningKey } from "../../src/age/signing-key.ts";
import { parseKeyFile } from "../../src/vault/key-file.ts";
import { encodeRecord, signRecord } from "../../src/vault/record.ts";
import { linkBytes } from "../../src/vault/trust.ts";
import { Program } from "../fixtures/program.ts";
import { gitInit } from "../fixtures/vault.ts";

// Ada's and bea's homes and clones, and a remote between them; the crawler runs in ada's home. One life, in order.

let ada: Program;
let bea: Program;
let crawler: Program;
const said: string[] = [];

/** Another home with a clone of the remote. */
function clone(): Program {
  const program = Program.lasting();
  rmSync(program.repo, { recursive: true });
  execaSync("git", ["clone", "--quiet", remote(), program.repo]);
  gitInit(program.repo);
  return program;
}

const remote = () => join(ada.home, "remote.git");
const push = (program: Program) => program.git("push", "--quiet", "origin", "HEAD:main");
const pull = (program: Program) => program.git("pull", "--quiet", "--no-rebase", "origin", "main");

async function run(program: Program, ...args: string[]) {
  const outcome = await program.run(args);
  said.push(outcome.stderr);
  return outcome;
}

async function must(program: Program, ...args: string[]): Promise<string> {
  const outcome = await run(program, ...args);
  expect(outcome, args.join(" ")).toMatchObject({ status: 0 });
  return outcome.stdout;
}

/** What the crawler's launch prints of a variable's length, on the crawler's machine, after a pull. */
async function launch(key = "crawler.key") {
  pull(crawler);
  const args = ["--agent", "crawler", "--key-file", join(crawler.home, key), "--"];
  const { status, stdout, stderr } = await run(crawler, ...args, "sh", "-c", "echo $" + "{#API_KEY}");
  return { status, stdout: stdout.trim(), stderr };
}

const configOf = (program: Program) => {
  const config = join(program.home, ".config/vault-run");
  return join(config, readdirSync(config)[0] ?? "");
};
const ownerKey = (program: Program) => join(configOf(program), "owner.key");
const vaultJson = (program: Program) =>
  JSON.parse(readFileSync(join(program.repo, ".vault/vault.json"), "utf8"));

/** Commits a vault.json of someone's own to the remote, as anyone can who may push. */
function pushForged(program: Program, keyFile: string, change: (key: SigningKey) => object): void {
  const key = SigningKey.derive(parseKeyFile(readFileSync(keyFile, "utf8"), keyFile).identity);
  const { signatures: _, ...before } = vaultJson(program);
  const record = signRecord({ ...before, serial: before.serial + 1e9, ...change(key) }, key);
  writeFileSync(join(program.repo, ".vault/vault.json"), encodeRecord(record));
  program.git("commit", "--quiet", "--all", "--message", "forged");
  push(program);
}

/** Takes the last commit off the remote again. */
function unpush(program: Program): void {
  for (const each of [program, crawler, ada]) each.git("fetch", "--quiet", "origin");
  program.git("reset", "--quiet", "--hard", "HEAD~1");
  program.git("push", "--quiet", "--force", "origin", "HEAD:main");
  for (const each of [crawler, ada]) {
    each.git("fetch", "--quiet", "origin");
    each.git("reset", "--quiet", "--hard", "FETCH_HEAD");
  }
}

beforeAll(async () => {
  ada = Program.lasting();
  execaSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", remote()]);
  ada.git("remote", "add", "origin", remote());
  await ada.must(["init", "--name", "ada"]);
  await ada.set("stripe/API_KEY", "sk_live_1");
  await ada.must(["add-agent", "crawler"]);
  await ada.must(["grant", "crawler", "stripe"]);
  push(ada);
  bea = clone();
  crawler = clone();
}, 60_000);

describe("a lost key", () => {
  it("comes back from escrow as it was, recorded before it is there", async () => {
    const path = join(configOf(ada), "agents/crawler.key");
    const text = readFileSync(path, "utf8");
    const taken = await run(ada, "restore", "crawler");
    expect(taken.status).toBe(1);
    expect(taken.stderr).toContain("is there already and is left alone");
    rmSync(path);
    await must(ada, "restore", "crawler");
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(await must(ada, "restore", "crawler", "--out", "-")).toBe(text);
    const lines = ada.auditLines().filter((line) => line.action === "restore");
    expect(lines).toMatchObject([{ agent: "crawler" }, { agent: "crawler" }]);
    await must(ada, "restore", "crawler", "--out", join(crawler.home, "crawler.key"));
    expect(await launch()).toMatchObject({ status: 0, stdout: "9" });
  });

  it("is not given out where that cannot be recorded (promise 11)", async () => {
    const out = join(ada.home, "unrecorded.key");
    const env = { VAULT_RUN_AUDIT_DIR: "/proc/self" };
    const { status, stdout } = await ada.run(["restore", "crawler", "--out", out], { env });
    expect({ status, stdout, made: existsSync(out) }).toEqual({ status: 1, stdout: "", made: false });
  });
});

describe("a key that others may have", () => {
  it("is replaced: the old one is refused with the reason, the new one launches", async () => {
    const taken = await run(ada, "rekey", "crawler");
    expect(taken.status).toBe(1);
    expect(taken.stderr).toContain("the old key file of crawler is there already and is left alone");
    const head = ada.git("rev-parse", "HEAD");
    await must(ada, "rekey", "crawler", "--out", join(crawler.home, "new.key"));
    expect(ada.git("rev-parse", "HEAD~1")).toBe(head);
    push(ada);
    const old = await launch();
    expect(old).toMatchObject({ status: 125, stdout: "" });
    expect(old.stderr).toContain("agent crawler was given a new key, and this is an old one");
    expect(await launch("new.key")).toMatchObject({ status: 0, stdout: "9" });
    expect((await run(ada, "rotation")).status).toBe(1);
    await ada.set("stripe/API_KEY", "sk_live_22");
    expect((await run(ada, "rotation")).status).toBe(0);
    push(ada);
  });
});

describe("a second owner", () => {
  it("makes a key that never leaves their machine, and is added by its card", async () => {
    pull(bea);
    const before = bea.snapshot();
    const card = await must(bea, "add-owner", "bea", "--make-card");
    expect(bea.snapshot()).toBe(before);
    expect((await run(bea, "status")).status).toBe(1);
    writeFileSync(join(ada.home, "bea.card"), card);
    const wrongName = await run(ada, "add-owner", "eve", "--card", join(ada.home, "bea.card"));
    expect(wrongName.status).toBe(1);
    await must(ada, "add-owner", "bea", "--card", join(ada.home, "bea.card"));
    push(ada);
    pull(bea);
    expect(JSON.parse(await must(bea, "owners", "--json")).owners).toMatchObject([
      { name: "ada" },
      { name: "bea", verifyKey: JSON.parse(card).verifyKey },
    ]);
  });

  it("changes the vault in turns with the first, and the agent that pinned the first follows", async () => {
    await bea.set("stripe/API_KEY", "sk_live_of_bea");
    push(bea);
    expect(await launch("new.key")).toMatchObject({ status: 0, stdout: "14" });
    pull(ada);
    expect(await must(ada, "get", "stripe/API_KEY")).toBe("sk_live_of_bea");
    await ada.set("stripe/API_KEY", "sk_live_of_ada_again");
    push(ada);
    pull(bea);
    await must(bea, "add-owner", "spare", "--out", join(bea.home, "spare.key"));
    push(bea);
    expect(await launch("new.key")).toMatchObject({ status: 0, stdout: "20" });
    pull(ada);
    await must(ada, "remove-owner", "spare");
    push(ada);
    pull(bea);
  });

  it("who is removed opens nothing new, and does not come back where that was seen", async () => {
    const { owners } = vaultJson(bea);
    const removed = await must(ada, "remove-owner", "bea", "--json");
    expect(JSON.parse(removed)).toMatchObject({ rotate: [{ name: "API_KEY" }], rekey: ["crawler"] });
    push(ada);
    expect(await launch("new.key")).toMatchObject({ status: 0 });
    pull(bea);
    const refused = await run(bea, "get", "stripe/API_KEY");
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    pushForged(bea, ownerKey(bea), (key) => ({
      owners: owners.filter((owner: { verifyKey: string }) => owner.verifyKey === key.verifyKey),
    }));
    const forged = { stdout: "", stderr: expect.stringContaining("removed or replaced: .vault/vault.json") };
    expect(await launch("new.key")).toMatchObject({ ...forged, status: 125 });
    pull(ada);
    expect(await run(ada, "status")).toMatchObject({ ...forged, status: 1 });
    unpush(bea);
    expect(await launch("new.key")).toMatchObject({ status: 0 });
  });

  it("leaves agents that are to be rekeyed, which the listings say until they are", async () => {
    expect(JSON.parse((await run(ada, "rotation", "--json")).stdout).rekey).toMatchObject([
      { agent: "crawler", owners: [{ owner: "spare" }, { owner: "bea" }] },
    ]);
    expect(await must(ada, "status")).toContain("owner bea");
    await must(ada, "rekey", "crawler", "--out", join(crawler.home, "newer.key"));
    expect(JSON.parse((await run(ada, "rotation", "--json")).stdout).rekey).toEqual([]);
    push(ada);
    expect(await launch("newer.key")).toMatchObject({ status: 0, stdout: "20" });
  });
});

describe("a new key of an owner", () => {
  it("is followed by the agent, and the old one says where the new one is", async () => {
    await must(ada, "rekey", "--owner");
    const next = readdirSync(configOf(ada)).find((file) => /^owner-[0-9a-f]{8}\.key$/.test(file)) ?? "";
    const refused = await run(ada, "set", "stripe/API_KEY");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(join(configOf(ada), next));
    renameSync(ownerKey(ada), join(ada.home, "old.key"));
    renameSync(join(configOf(ada), next), ownerKey(ada));
    await ada.set("stripe/API_KEY", "by the new key of ada");
    push(ada);
    expect(await launch("newer.key")).toMatchObject({ status: 0, stdout: "21" });
  });

  it("is put into the old one's place by the line that says how, whatever that place is called", async () => {
    const program = Program.empty();
    await program.must(["init", "--classic"]);
    await program.set("stripe/API_KEY", "sk_live_value");
    const folder = join(program.home, "it's mine; touch run");
    mkdirSync(folder);
    const configured = join(program.home, ".config/vault-run");
    renameSync(join(configured, readdirSync(configured)[0] ?? "", "owner.key"), join(folder, "owner.key"));
    const env = { VAULT_RUN_OWNER_KEY_FILE: join(folder, "owner.key") };
    const { stderr } = await program.run(["rekey", "--owner"], { env });
    const [, line = "exit 1"] = /to use the new one: (.*)/.exec(stderr) ?? [];
    await execa("sh", ["-c", line], { cwd: program.home });
    expect(await program.must(["get", "stripe/API_KEY"], { env })).toBe("sk_live_value");
    expect(existsSync(join(program.home, "run"))).toBe(false);
  });

  it("is not replaced by a fork of the stolen old one, nor by a link that nobody signed", async () => {
    pull(bea);
    const [owner] = vaultJson(bea).owners;
    const old = SigningKey.derive(
      parseKeyFile(readFileSync(join(ada.home, "old.key"), "utf8"), "old").identity,
    );
    for (const signer of [old, undefined]) {
      pushForged(bea, ownerKey(bea), (key) => {
        const { vault, succession, createdAt } = vaultJson(bea);
        const link = { from: old.verifyKey, to: key.verifyKey, at: createdAt };
        const sig = (signer ?? key).sign(linkBytes(vault, link));
        return {
          owners: [{ ...owner, verifyKey: key.verifyKey }],
          succession: [...succession, { ...link, sig }],
        };
      });
      const stderr = expect.stringMatching(/removed or replaced|owners are not those/);
      expect(await launch("newer.key")).toMatchObject({ status: 125, stdout: "", stderr });
      unpush(bea);
    }
    expect(await launch("newer.key")).toMatchObject({ status: 0 });
  });

  it("knows every line that former keys of owners and agents have signed", async () => {
    const { lines } = JSON.parse(await must(ada, "audit", "--json"));
    expect(new Set(lines.map((line: { action: string }) => line.action))).toEqual(
      new Set(
        "init set add-agent grant restore rekey get denied add-owner remove-owner rekey-owner".split(" "),
      ),
    );
    pull(crawler);
    expect(lines.every((line: { status: string }) => line.status === "verified")).toBe(true);
  });
});

describe("after all that", () => {
  it("no identity is in git, in the audit logs, or in what was said (promises 1 and 10)", async () => {
    const homes = [ada, bea, crawler];
    const files = homes.flatMap(({ home }) =>
      (readdirSync(home, { recursive: true }) as string[])
        .filter((file) => file.endsWith(".key"))
        .map((file) => join(home, file)),
    );
    const keys = files.map((file) => /AGE-SECRET-KEY-\S+/.exec(readFileSync(file, "utf8"))?.[0] ?? "");
    expect(keys.length).toBeGreaterThan(6);
    const kept = await Promise.all(
      homes.map(async ({ home, repo }) => {
        const settings = { cwd: repo, encoding: "latin1", maxBuffer: 1e9 } as const;
        const objects = await execa("git", ["cat-file", "--batch-all-objects", "--batch"], settings);
        const state = await execa(
          "grep",
          ["-r", "", join(home, ".local"), join(repo, ".git/logs")],
          settings,
        );
        return `${objects.stdout}\n${state.stdout}`;
      }),
    );
    for (const text of [...kept, said.join("\n")]) {
      expect(text).not.toContain("AGE-SECRET-KEY");
      for (const key of keys) expect(text.includes(key.slice(-40)), "a key was found").toBe(false);
    }
  });
});

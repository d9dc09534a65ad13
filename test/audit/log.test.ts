import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { AuditLog, auditLogPath } from "../../src/audit/log.ts";
import { type ReadLine, readAuditLog, ValueReads } from "../../src/audit/read.ts";
import { digest, keyFingerprint } from "../../src/vault/fingerprint.ts";
import type { Machine } from "../../src/vault/machine.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { tempFolder } from "../fixtures/temp.ts";

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const key = SigningKey.derive(await generateIdentity("classic"));
const stranger = SigningKey.derive(await generateIdentity("classic"));
const owner = SigningKey.derive(await generateIdentity("classic"));
let machine: Machine;
let log: AuditLog;
beforeEach(() => {
  machine = {
    env: {},
    cwd: "/",
    home: tempFolder(),
    host: "test-host",
    pid: process.pid,
    uid: 1000,
    now: Date.now,
  };
  log = new AuditLog(machine, vault, "0".repeat(40));
});

const event = {
  action: "launch",
  agent: "crawler",
  command: "node",
  secrets: [{ group: "g", name: "N", valueId: "00" }],
} as const;
const readers = [{ key: key.verifyKey, agent: "crawler" }, { key: owner.verifyKey }];
const lines = () => readFileSync(log.path, "utf8").split("\n").slice(0, -1);

async function read(): Promise<ReadLine[]> {
  const found: ReadLine[] = [];
  for await (const line of readAuditLog(log.path, readers)) found.push(line);
  return found;
}
const statuses = async () => (await read()).map((line) => line.status);

describe("the audit log", () => {
  it("says who pulled what, when and where, signed and linked to the line before", async () => {
    await log.append(event, key);
    await log.append({ ...event, command: "python3" }, key);
    const [first, second] = lines().map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      v: 1,
      vault,
      action: "launch",
      agent: "crawler",
      host: "test-host",
      uid: 1000,
      commit: "0".repeat(40),
      command: "node",
    });
    expect(first.prev).toBeUndefined();
    expect(second.prev).toBe(digest(Buffer.from(lines()[0]!)));
    expect(await statuses()).toEqual(["verified", "verified"]);
  });

  it("is private to the user", async () => {
    await log.append(event, key);
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(log.path)).mode & 0o777).toBe(0o700);
  });

  it("shows an edited line, a forged line and one by an unknown key (A20)", async () => {
    await log.append(event, key);
    await log.append(event, stranger);
    writeFileSync(log.path, `${readFileSync(log.path, "utf8").replace("crawler", "another")}`);
    expect(await statuses()).toEqual(["bad-signature", "unknown-key"]);
  });

  it("shows a line torn by a kill, and goes on after it", async () => {
    await log.append(event, key);
    const whole = statSync(log.path).size;
    await log.append(event, key);
    truncateSync(log.path, whole + 40);
    await log.append(event, key);
    expect(await statuses()).toEqual(["verified", "torn", "verified"]);
    expect(JSON.parse(lines()[2]!).prev).toBe(digest(Buffer.from(lines()[0]!)));
  });

  it("passes over the empty lines that writers leave who write at the same moment", async () => {
    await log.append(event, key);
    appendFileSync(log.path, "\n");
    await log.append(event, key);
    appendFileSync(log.path, "\n\n\n");
    await log.append(event, key);
    const [first, , second] = lines();
    expect(JSON.parse(second!).prev).toBe(digest(Buffer.from(first!)));
    expect(await read()).toMatchObject([
      { status: "verified", gap: false },
      { status: "verified", gap: false },
      { status: "verified", gap: false },
    ]);
    writeFileSync(log.path, "\n");
    await log.append(event, key);
    expect(await statuses()).toEqual(["verified"]);
  });

  it("takes what two processes say alike in the same millisecond for two lines, and no copy", async () => {
    const alike = [tempFolder(), tempFolder()].map(async (home) => {
      const other = new AuditLog({ ...machine, home, now: () => 1_790_000_000_000 }, vault, undefined);
      await other.append(event, key);
      return readFileSync(other.path, "utf8");
    });
    mkdirSync(dirname(log.path), { recursive: true });
    writeFileSync(log.path, (await Promise.all(alike)).join(""));
    expect(await statuses()).toEqual(["verified", "verified"]);
  });

  it("links to the line before also where that one is very long", async () => {
    const secrets = Array.from({ length: 3000 }, (_, i) => ({
      group: "g",
      name: `NAME_${i}`,
      valueId: "0".repeat(32),
    }));
    await log.append({ ...event, secrets }, key);
    await log.append(event, key);
    expect(lines()[0]!.length).toBeGreaterThan(200_000);
    expect(JSON.parse(lines()[1]!).prev).toBe(digest(Buffer.from(lines()[0]!)));
  });

  it("is not followed through a link, nor into a folder or a device", async () => {
    const path = auditLogPath(machine, vault);
    mkdirSync(dirname(path), { recursive: true });
    const elsewhere = join(tempFolder(), "elsewhere");
    symlinkSync(elsewhere, path);
    await expect(log.append(event, key)).rejects.toThrow(/cannot write the audit record/);
    const moved = { ...machine, env: { VAULT_RUN_AUDIT_DIR: "/dev/full" } };
    await expect(new AuditLog(moved, vault, undefined).append(event, key)).rejects.toThrow(
      /cannot write the audit record/,
    );
  });

  it("goes where VAULT_RUN_AUDIT_DIR says", async () => {
    const folder = tempFolder();
    const moved = new AuditLog({ ...machine, env: { VAULT_RUN_AUDIT_DIR: folder } }, vault, undefined);
    await moved.append(event, key);
    expect(moved.path).toBe(join(folder, "audit.jsonl"));
    expect(readFileSync(moved.path, "utf8")).toContain('"action":"launch"');
  });

  it("tells what is no line of its own from what is", async () => {
    await log.append(event, key);
    appendFileSync(log.path, 'null\n{"v":1}\n[]\n\n');
    chmodSync(log.path, 0o600);
    expect(await statuses()).toEqual(["verified", "torn", "torn", "torn"]);
  });

  it("shows where a line is missing, and a line that was copied (A20)", async () => {
    for (let i = 0; i < 4; i++) await log.append({ ...event, command: `program-${i}` }, key);
    const [a, b, c, d] = lines();
    const gaps = async (...kept: (string | undefined)[]) => {
      writeFileSync(log.path, kept.map((line) => `${line}\n`).join(""));
      return (await read()).map((line) => line.status !== "torn" && line.gap);
    };
    expect(await gaps(a, b, c, d)).toEqual([false, false, false, false]);
    expect(await gaps(a, b, d)).toEqual([false, false, true]);
    expect(await gaps(b, c, d)).toEqual([true, false, false]);
    expect(await gaps(a, a, b)).toEqual([false, true, false]);
    writeFileSync(log.path, `${a}\n${b}\n${b}\n`);
    expect(await statuses()).toEqual(["verified", "verified", "repeated"]);
    expect(await gaps(a, c, b, d)).toEqual([false, true, false, false]);
  });

  it("shows a line that its signer may not say: another's name, an owner's change, an owner's launch", async () => {
    await log.append({ ...event, agent: "other" }, key);
    await log.append({ action: "grant", agent: "crawler", group: "g" }, key);
    await log.append({ action: "get" }, key);
    await log.append({ ...event, action: "frobnicate" as never }, key);
    await log.append(event, owner);
    await log.append({ action: "grant", agent: "crawler", group: "g" }, owner);
    await log.append({ action: "get" }, owner);
    expect(await statuses()).toEqual([
      "wrong-signer",
      "wrong-signer",
      "wrong-signer",
      "wrong-signer",
      "wrong-signer",
      "verified",
      "verified",
    ]);
  });

  it.each([
    ["agent", '"agent":{}'],
    ["leaks", '"leaks":"x"'],
    ["secrets", '"secrets":[1]'],
    ["time", '"time":"yesterday"'],
    ["uid", '"uid":"root"'],
  ])("takes a line with a %s that is none for torn", async (field, wrong) => {
    await log.append({ ...event, leaks: [] }, key);
    const line = lines()[0]!.replace(new RegExp(`"${field}":("[^"]*"|\\[[^\\]]*\\]|\\d+)`), wrong);
    expect(line).toContain(wrong);
    writeFileSync(log.path, `${line}\n`);
    expect(await statuses()).toEqual(["torn"]);
  });

  it("is not split by what a program's name may hold", async () => {
    await log.append({ ...event, command: "a\u2028b\u2029c\rd\u0085e" }, key);
    expect(await statuses()).toEqual(["verified"]);
  });

  it("has one spelling, and half a character in a line is no reason to stop", async () => {
    await log.append(event, key);
    const [line] = lines();
    appendFileSync(log.path, `${line!.replace('"v":1', '"v": 1')}\n${line!.replace("crawler", "\\ud800")}\n`);
    expect(await statuses()).toEqual(["verified", "bad-signature", "bad-signature"]);
  });

  it("has a value read by a key where a verified line says so, the first time, and by nothing else", async () => {
    const secrets = [{ group: "web", name: "ONE", valueId: "1".repeat(32) }];
    await log.append({ action: "denied", agent: "crawler", secrets }, key);
    await log.append({ action: "get", agent: "crawler", secrets }, key);
    await log.append({ action: "launch", agent: "crawler", secrets }, key);
    await log.append({ action: "set", secrets }, owner);
    await log.append(
      { action: "get", agent: "crawler", secrets: [{ ...secrets[0]!, valueId: "2".repeat(32) }] },
      key,
    );
    const [, first] = lines();
    writeFileSync(log.path, `${readFileSync(log.path, "utf8").replaceAll("2".repeat(32), "3".repeat(32))}`);
    const reads = new ValueReads();
    for (const line of await read()) reads.add(line);
    const by = (signer: SigningKey, digit: string) =>
      reads.find(keyFingerprint(signer.verifyKey), digit.repeat(32));
    expect(by(key, "1")).toEqual({ at: JSON.parse(first!).time, host: "test-host", action: "get" });
    expect([by(owner, "1"), by(key, "2"), by(key, "3")]).toEqual([undefined, undefined, undefined]);
  });

  it("is empty where there is none", async () => {
    expect(await read()).toEqual([]);
  });
});

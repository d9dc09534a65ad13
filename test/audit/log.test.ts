import {
  appendFileSync,
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
import { digest } from "../../src/vault/fingerprint.ts";
import type { Machine } from "../../src/vault/machine.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { findingsIn } from "../fixtures/read-logs.ts";
import { tempFolder } from "../fixtures/temp.ts";

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const key = SigningKey.derive(await generateIdentity("classic"));
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
const readers = [{ key: key.verifyKey, agent: "crawler" }];
const lines = () => readFileSync(log.path, "utf8").split("\n").slice(0, -1);

const findings = () => findingsIn(dirname(log.path), vault, readers);

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
    expect(await findings()).toEqual([]);
  });

  it("is private to the user", async () => {
    await log.append(event, key);
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(log.path)).mode & 0o777).toBe(0o700);
  });

  it("shows a line torn by a kill, and goes on after it", async () => {
    await log.append(event, key);
    const whole = statSync(log.path).size;
    await log.append(event, key);
    truncateSync(log.path, whole + 40);
    await log.append(event, key);
    expect(await findings()).toEqual(["torn 2"]);
    expect(JSON.parse(lines()[2]!).prev).toBe(digest(Buffer.from(lines()[0]!)));
  });

  it.each([
    ["the first", 0],
    ["a later one", 2],
  ])("writes %s again that was glued to half a line, of one who was killed just then", async (_, before) => {
    for (let i = 0; i < before; i++) await log.append(event, key);
    const half = '{"action":"launch","agent":"crawler","comm';
    const now = () => {
      appendFileSync(log.path, half);
      return Date.now();
    };
    await new AuditLog({ ...machine, now }, vault, undefined).append(event, key, "a".repeat(32));
    await log.append(event, key);
    expect(await findings()).toEqual([`torn ${before + 1}`]);
    const all = lines();
    const [glued, empty, again, next] = all.slice(before);
    expect([glued, empty]).toEqual([half + again, ""]);
    expect(JSON.parse(again!)).toMatchObject({ id: "a".repeat(32) });
    expect(JSON.parse(again!).prev).toBe(before === 0 ? undefined : digest(Buffer.from(all[before - 1]!)));
    expect(JSON.parse(next!).prev).toBe(digest(Buffer.from(again!)));
    expect(all).toHaveLength(before + 4);
  });

  it("links to none that was glued to half a line, where a whole one stands before", async () => {
    await log.append(event, key);
    await log.append(event, key);
    const [first, second] = lines();
    writeFileSync(log.path, `${first}\n{"half":${second}\n`);
    await log.append(event, key);
    expect(JSON.parse(lines()[2]!).prev).toBe(digest(Buffer.from(first!)));
    writeFileSync(log.path, `{"half":${second}\n`);
    await log.append(event, key);
    expect(JSON.parse(lines()[1]!).prev).toBeUndefined();
    expect(await findings()).toEqual(["torn 1"]);
  });

  it("writes a line once where others appended whole ones just then", async () => {
    await log.append(event, key);
    const now = () => {
      appendFileSync(log.path, `${other}\n${other}\n`);
      return Date.now();
    };
    const other = JSON.stringify({ other: true });
    await new AuditLog({ ...machine, now }, vault, undefined).append(event, key);
    expect(lines()).toEqual([expect.any(String), other, other, expect.stringContaining('"launch"')]);
  });

  it("passes over the empty lines that writers leave who write at the same moment", async () => {
    await log.append(event, key);
    appendFileSync(log.path, "\n");
    await log.append(event, key);
    appendFileSync(log.path, "\n\n\n");
    await log.append(event, key);
    const [first, , second] = lines();
    expect(JSON.parse(second!).prev).toBe(digest(Buffer.from(first!)));
    expect(await findings()).toEqual([]);
    writeFileSync(log.path, "\n");
    await log.append(event, key);
    expect(await findings()).toEqual([]);
  });

  it("links to this vault's line, where several share a folder", async () => {
    const folder = tempFolder();
    const shared = { ...machine, env: { VAULT_RUN_AUDIT_DIR: folder } };
    const [one, other] = ["1", "2"].map((n) => new AuditLog(shared, n.repeat(32) as VaultId, undefined));
    for (const each of [one!, other!, other!, one!]) await each.append(event, key);
    const all = readFileSync(one!.path, "utf8").split("\n");
    const links = [0, 1, 2, 3].map((i) => JSON.parse(all[i]!).prev);
    const of = (i: number) => digest(Buffer.from(all[i]!));
    expect(links).toEqual([undefined, undefined, of(1), of(0)]);
  });

  it.each([
    ["short lines", "x\n".repeat(4_000_000) + "y".repeat(8_000_000)],
    ["empty lines", "\n".repeat(10_000_000)],
    ["ends of lines", `"vault":"${vault}"}\n`.repeat(200_000)],
  ])("is appended to at once behind 10 MB of %s", async (_, text) => {
    mkdirSync(dirname(log.path), { recursive: true });
    writeFileSync(log.path, text);
    const { user } = process.cpuUsage();
    await log.append(event, key);
    expect(process.cpuUsage().user - user).toBeLessThan(1_000_000);
    expect(JSON.parse(lines().at(-1)!)).not.toHaveProperty("prev");
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

  it("stays where it is when the program goes to another folder", () => {
    const moved = { ...machine, cwd: "/srv/app", env: { VAULT_RUN_AUDIT_DIR: "log" } };
    expect(auditLogPath(moved, vault)).toBe("/srv/app/log/audit.jsonl");
  });

  it("goes where VAULT_RUN_AUDIT_DIR says", async () => {
    const folder = tempFolder();
    const moved = new AuditLog({ ...machine, env: { VAULT_RUN_AUDIT_DIR: folder } }, vault, undefined);
    await moved.append(event, key);
    expect(moved.path).toBe(join(folder, "audit.jsonl"));
    expect(readFileSync(moved.path, "utf8")).toContain('"action":"launch"');
  });
});

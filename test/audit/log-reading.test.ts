import { appendFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import type { AuditEvent } from "../../src/audit/event.ts";
import { AuditLog } from "../../src/audit/log.ts";
import { type LogSource, localLog } from "../../src/audit/source.ts";
import { VerifiedBlocks } from "../../src/audit/verified-blocks.ts";
import { digest, keyFingerprint } from "../../src/vault/fingerprint.ts";
import type { Machine } from "../../src/vault/machine.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { type ReadOptions, readLogs, shown } from "../fixtures/read-logs.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { codeOf } from "../fixtures/vault.ts";

// Edit, delete, reorder, truncate, replay, forge (A20): each is found and named, in this machine's log and between that and
// what was pushed from it.

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const ownerIdentity = await generateIdentity("classic");
const owner = SigningKey.derive(ownerIdentity);
const [crawler, other, stranger] = await Promise.all(
  [1, 2, 3].map(async () => SigningKey.derive(await generateIdentity("classic"))),
);
const readers = [
  { key: crawler!.verifyKey, agent: "crawler" },
  { key: other!.verifyKey, agent: "other" },
  { key: owner.verifyKey, owner: "ada" },
];
const event: AuditEvent = {
  action: "launch",
  agent: "crawler",
  command: "node",
  secrets: [{ group: "g", name: "N", valueId: "00" }],
};

let folder: string;
let nowMs: number;
beforeEach(() => {
  folder = tempFolder();
  nowMs = Date.parse("2026-11-01T00:00:00.000Z");
});

async function write(
  what: AuditEvent = event,
  key: SigningKey = crawler!,
  { host = "test-host", uid = 1000, of = vault, into = folder } = {},
): Promise<void> {
  const env = { VAULT_RUN_AUDIT_DIR: into };
  const now = () => nowMs;
  const machine: Machine = { env, cwd: "/", home: "/nowhere", host, pid: 1, uid, now };
  await new AuditLog(machine, of, "0".repeat(40)).append(what, key);
  nowMs += 60_000;
}

async function writeMany(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await write({ ...event, command: `program-${i}` });
}

const path = (name = "audit.jsonl") => join(folder, name);
const lines = () => readFileSync(path(), "utf8").split("\n").slice(0, -1);
const put = (...kept: (string | undefined)[]) =>
  writeFileSync(path(), kept.map((line) => `${line}\n`).join(""));
const local = () => localLog(folder, false);

/** What one key pushed from one host. */
function pushed(
  key: SigningKey,
  host: string,
  kept: readonly (string | undefined)[],
  chunkBytes = 1000,
): LogSource {
  const bytes = Buffer.from(kept.map((line) => `${line}\n`).join(""));
  const fingerprint = keyFingerprint(key.verifyKey);
  return {
    host,
    key: fingerprint,
    isLocal: false,
    name: `refs/${fingerprint}/${host}`,
    async *chunks() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    },
  };
}

const found = async (logs: readonly LogSource[] = [local()], options: ReadOptions = {}) =>
  shown((await readLogs(logs, vault, readers, options)).findings);
const statuses = async () => (await readLogs([local()], vault, readers)).lines.map(({ status }) => status);

describe("a line", () => {
  it("verifies, or was edited, or is signed by nobody known (A20)", async () => {
    await write();
    await write(event, stranger);
    await write();
    put(...lines().map((line, at) => (at === 0 ? line.replace("crawler", "another") : line)));
    expect(await statuses()).toEqual(["bad-signature", "unknown-key", "verified"]);
    expect(await found()).toEqual(["bad-signature 1", "unknown-key 2", "gap 2"]);
  });

  it.each(["time", "host", "uid", "agent", "command", "secrets", "key", "prev", "commit", "id", "action"])(
    "does not verify with another %s",
    async (field) => {
      await write();
      await write();
      const line = JSON.parse(lines()[1]!);
      const others: Record<string, unknown> = {
        time: "2026-11-01T00:02:00.000Z",
        uid: 0,
        secrets: [],
        key: keyFingerprint(other!.verifyKey),
        prev: "0".repeat(64),
        action: "get",
      };
      const edited = JSON.stringify({ ...line, [field]: others[field] ?? "other" });
      put(lines()[0], edited);
      const all = await found();
      expect(all).toContain("bad-signature 2");
      expect(await statuses()).toEqual(["verified", "bad-signature"]);
    },
  );

  it("may not be said by its signer: another's name, an owner's change, an owner's launch (A20)", async () => {
    await write({ ...event, agent: "other" });
    await write({ action: "grant", agent: "crawler", group: "g" });
    await write({ action: "get" });
    await write({ ...event, action: "frobnicate" as never });
    await write(event, owner);
    await write({ action: "grant", agent: "crawler", group: "g" }, owner);
    await write({ action: "get" }, owner);
    await write({ action: "denied", agent: "other", reason: "wrong-key" });
    await write({ action: "denied", agent: "other", reason: "wrong-key" }, owner);
    expect(await statuses()).toEqual([
      "wrong-signer",
      "wrong-signer",
      "wrong-signer",
      "wrong-signer",
      "wrong-signer",
      "verified",
      "verified",
      "verified",
      "verified",
    ]);
  });

  it("cannot be forged for another agent with a key of one's own (A20)", async () => {
    await write(event, other);
    const line = lines()[0]!;
    put(line, line.replace(keyFingerprint(other!.verifyKey), keyFingerprint(crawler!.verifyKey)));
    expect(await found()).toEqual(["wrong-signer 1", "bad-signature 2"]);
  });

  it("of another vault is named, and not counted (A20)", async () => {
    await write();
    await write(event, crawler, { of: "f".repeat(32) as VaultId });
    await write();
    expect(await found()).toEqual(["other-vault 2"]);
    expect(await statuses()).toEqual(["verified", "verified"]);
  });

  it("of another vault is nothing to speak of in a folder that several vaults share", async () => {
    await write();
    await write(event, crawler, { of: "f".repeat(32) as VaultId });
    await write();
    expect(await found([localLog(folder, true)])).toEqual([]);
  });

  it("is told from what is none", async () => {
    await write();
    appendFileSync(path(), 'null\n{"v":1}\n[]\n\n');
    expect(await found()).toEqual(["torn 2", "torn 3", "torn 4"]);
  });

  it.each([
    ["agent", '"agent":{}'],
    ["leaks", '"leaks":"x"'],
    ["secrets", '"secrets":[1]'],
    ["time", '"time":"yesterday"'],
    ["uid", '"uid":"root"'],
  ])("with a %s that is none is torn", async (field, wrong) => {
    await write({ ...event, leaks: [] });
    const line = lines()[0]!.replace(new RegExp(`"${field}":("[^"]*"|\\[[^\\]]*\\]|\\d+)`), wrong);
    expect(line).toContain(wrong);
    put(line);
    expect(await found()).toEqual(["torn 1"]);
  });

  it("is not split by what a program's name may hold", async () => {
    await write({ ...event, command: "a\u2028b\u2029c\rd\u0085e" });
    expect(await statuses()).toEqual(["verified"]);
  });

  it("has one spelling, in bytes too, and half a character in it is no reason to stop", async () => {
    await write({ ...event, command: "a\ufffdb" });
    const [line] = lines();
    appendFileSync(path(), `${line!.replace('"v":1', '"v": 1')}\n${line!.replace("crawler", "\\ud800")}\n`);
    const bytes = Buffer.from(`${line}\n`, "utf8").toString("latin1");
    appendFileSync(path(), Buffer.from(bytes.replace("\xef\xbf\xbd", "\xff"), "latin1"));
    expect(await found()).toEqual(["bad-signature 2", "bad-signature 3", "torn 4"]);
  });

  it("has one signature in one spelling: the same in another is no second line (A20)", async () => {
    await write();
    const [line] = lines();
    const sig = JSON.parse(line!).sig as string;
    const spelt = [
      sig.replace("==", ""),
      ` ${sig}`,
      `${sig}=`,
      `${sig}AAAA`,
      sig.slice(0, 84),
      "",
      sig.replace(/(.)==$/, (_, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==`),
      sig.replaceAll("+", "-").replaceAll("/", "_").replaceAll("==", "=="),
    ].filter((other) => other !== sig);
    put(line, ...spelt.map((other) => line!.replace(sig, other)));
    expect(spelt.length).toBeGreaterThan(6);
    expect(await found()).toEqual(spelt.map((_, at) => `bad-signature ${at + 2}`));
  });

  it("is torn where it is nested deeper than anyone can write it out", async () => {
    await write();
    const [line] = lines();
    const deep = line!.replace('"v":1', `"u":${"[".repeat(50_000)}${"]".repeat(50_000)},"v":1`);
    put(line, deep);
    expect(await found()).toEqual(["torn 2"]);
  });

  it("is not held up by one that never ends", async () => {
    await write();
    appendFileSync(path(), `${"x".repeat(17 * 1024 * 1024)}\n`);
    const [first] = lines();
    appendFileSync(path(), `${first}\n`);
    expect(await found()).toEqual(["torn 2", "repeated 3"]);
  });
});

describe("lines that are missing", () => {
  it("are found where one was deleted, moved or copied (A20)", async () => {
    await writeMany(4);
    const [a, b, c, d] = lines();
    const foundWith = async (...kept: (string | undefined)[]) => {
      put(...kept);
      return found();
    };
    expect(await foundWith(a, b, c, d)).toEqual([]);
    expect(await foundWith(a, b, d)).toEqual(["gap 3"]);
    expect(await foundWith(b, c, d)).toEqual(["gap 1"]);
    expect(await foundWith(a, a, b)).toEqual(["repeated 2"]);
    expect(await foundWith(a, b, b)).toEqual(["repeated 3"]);
    expect(await foundWith(a, c, b, d)).toEqual(["out-of-order 2"]);
    expect(await foundWith(d, c, b, a)).toEqual(["out-of-order 1", "out-of-order 2", "out-of-order 3"]);
    expect(await foundWith(a, b)).toEqual([]);
  });

  it("are found where a log was begun anew, and not where several begin it at the same moment", async () => {
    await write();
    const [alone] = lines();
    const elsewhere = tempFolder();
    await write(event, crawler, { into: elsewhere });
    const late = readFileSync(join(elsewhere, "audit.jsonl"), "utf8").trimEnd();
    put(alone, late);
    expect(await found()).toEqual(["begun-anew 2"]);
    put(alone, alone!.replace("node", "deno"));
    expect(await found()).toEqual(["bad-signature 2"]);
  });

  it("are not looked for where a torn line is followed, or a line of another vault", async () => {
    await write();
    appendFileSync(path(), '{"v":1,"id":"torn');
    await write();
    appendFileSync(path(), "torn and ended\n");
    await write();
    await write(event, crawler, { of: "f".repeat(32) as VaultId });
    await write();
    expect(await found([localLog(folder, true)])).toEqual(["torn 2", "torn 4"]);
  });

  it("are found from within a block that was verified before, as from outside (A20)", async () => {
    await writeMany(600);
    const all = lines();
    const verified = () => new VerifiedBlocks(join(folder, "verified.json"), vault, ownerIdentity);
    expect(await found([local()], { verified: verified() })).toEqual([]);
    put(...all.slice(0, 100), ...all.slice(101, 200), all[201], all[200], ...all.slice(202));
    for (let i = 0; i < 2; i++)
      expect(await found([local()], { verified: verified() })).toEqual(["gap 101", "out-of-order 200"]);
    put(...all.map((line, at) => (at === 50 ? line.replace("program-50", "program-51") : line)));
    for (let i = 0; i < 2; i++)
      expect(await found([local()], { verified: verified() })).toEqual(["bad-signature 51", "gap 52"]);
    put(...all);
    expect(await found([local()], { verified: verified() })).toEqual([]);
  });
});

describe("what was pushed", () => {
  it("stands in this machine's log too, and counts once", async () => {
    await writeMany(3);
    const read = await readLogs([local(), pushed(crawler!, "test-host", lines())], vault, readers);
    expect(read.findings.counts).toEqual({});
    expect(read.lines).toHaveLength(3);
    expect(read.logs.map(({ verified }) => verified)).toEqual([3, 3]);
  });

  it("is a witness of what was cut off, taken out or edited here (A20)", async () => {
    await writeMany(4);
    const all = lines();
    const [a, b, c, d] = all;
    const witness = pushed(crawler!, "test-host", all);
    const foundWith = async (...kept: (string | undefined)[]) => {
      put(...kept);
      const { findings, lines: told } = await readLogs([local(), witness], vault, readers);
      expect(told.filter(({ status }) => status === "verified")).toHaveLength(4);
      return findings.named.map(({ kind, number, time, host }) => `${kind} ${number} ${time} ${host}`).sort();
    };
    const at = (minute: number) => `2026-11-01T00:0${minute}:00.000Z test-host`;
    expect(await foundWith(a, b)).toEqual([`missing-here 3 ${at(2)}`, `missing-here 4 ${at(3)}`]);
    expect(await foundWith(a, b, d)).toEqual([`gap 3 ${at(3)}`, `missing-here 3 ${at(2)}`]);
    expect(await foundWith(a, b!.replace("program", "another"), c, d)).toEqual([
      `bad-signature 2 ${at(1)}`,
      `gap 3 ${at(2)}`,
      `missing-here 2 ${at(1)}`,
    ]);
  });

  it("from other machines, by other users and with other keys need not be here", async () => {
    await write();
    const here = lines();
    const elsewhere = tempFolder();
    for (const [host, uid, key] of [
      ["other-host", 1000, crawler],
      ["test-host", 2000, crawler],
      ["test-host", 1000, other],
    ] as const)
      await write({ ...event, agent: key === other ? "other" : "crawler" }, key, {
        host,
        uid,
        into: elsewhere,
      });
    const [far, ofAnotherUser, ofAnotherKey] = readFileSync(join(elsewhere, "audit.jsonl"), "utf8").split(
      "\n",
    );
    const logs = [
      local(),
      pushed(crawler!, "other-host", [far]),
      pushed(crawler!, "test-host", [...here, ofAnotherUser]),
      pushed(other!, "test-host", [ofAnotherKey]),
    ];
    expect(await found(logs)).toEqual([]);
    expect(await found(logs, { key: keyFingerprint(other!.verifyKey) })).toEqual(["missing-here 1"]);
  });

  it("by several keys of a host is linked across them, in whatever order they were written", async () => {
    for (let i = 0; i < 400; i++) {
      const key = i % 3 === 0 ? other! : crawler!;
      // Clocks go back now and then.
      if (i % 7 === 0) nowMs -= 90_000;
      await write({ ...event, agent: key === other ? "other" : "crawler" }, key, { host: "far" });
    }
    const all = lines();
    const of = (key: SigningKey) => all.filter((line) => line.includes(keyFingerprint(key.verifyKey)));
    const logs = [pushed(crawler!, "far", of(crawler!)), pushed(other!, "far", of(other!))];
    const { lines: told, findings } = await readLogs(logs, vault, readers);
    expect(findings.counts).toEqual({});
    expect(told).toHaveLength(400);
    const without = of(other!).toSpliced(5, 1);
    expect(await found([logs[0]!, pushed(other!, "far", without)])).toEqual(["gap 11"]);
  });

  it("has no lines of another key, another host or another vault (A20)", async () => {
    await write();
    await write({ ...event, agent: "other" }, other);
    await write(event, crawler, { host: "far" });
    await write(event, crawler, { of: "f".repeat(32) as VaultId });
    const read = await readLogs([pushed(crawler!, "test-host", lines())], vault, readers);
    expect(shown(read.findings)).toEqual(["misplaced 2", "misplaced 3", "other-vault 4"]);
    expect(read.lines).toHaveLength(1);
    const right = await readLogs(
      [pushed(crawler!, "test-host", lines()), pushed(other!, "test-host", [lines()[1]])],
      vault,
      readers,
    );
    expect(right.lines).toHaveLength(2);
  });
});

describe("the logs of a fleet", () => {
  /** A line that is signed by nobody known. */
  function lineOf(host: string, id: number, prev?: string): string {
    const said = { action: "launch", agent: "crawler", host, id: `${id}`, key: "0".repeat(32) };
    const link = prev === undefined ? {} : { prev: digest(prev) };
    return JSON.stringify({
      ...said,
      ...link,
      sig: "",
      time: "2026-11-01T00:00:00.000Z",
      uid: 0,
      v: 1,
      vault,
    });
  }

  it("are whole, however many hosts there are and in whatever order their logs are read", {
    timeout: 120_000,
  }, async () => {
    const hosts = Array.from({ length: 500 }, (_, i) => `host-${i}`);
    const first = hosts.map((host) => lineOf(host, 0));
    const behind = hosts.map((host, i) =>
      pushed(
        crawler!,
        host,
        Array.from({ length: 220 }, (_, id) => lineOf(host, id + 1, first[i])),
        1_000_000,
      ),
    );
    const before = hosts.map((host, i) => pushed(other!, host, [first[i]]));
    const { findings } = await readLogs([...behind, ...before], vault, []);
    expect(findings.counts).not.toHaveProperty("gap");
  });

  it("may have many lines behind one that is missing", { timeout: 30_000 }, async () => {
    const [count, missing] = [45_000, lineOf("host", 0)];
    const lines = Array.from({ length: count }, (_, id) => lineOf("host", id + 1, missing));
    const { findings } = await readLogs([pushed(crawler!, "host", lines)], vault, []);
    expect(findings.counts).toMatchObject({ gap: count });
  });
});

describe("the files of a log", () => {
  it("are read in the order of their numbers, and a torn end is no part of the next", async () => {
    await writeMany(2);
    appendFileSync(path(), '{"torn');
    renameSync(path(), path("audit.9.jsonl"));
    writeFileSync(path("audit.3.jsonl"), "");
    const before = readFileSync(path("audit.9.jsonl"), "utf8").split("\n");
    put(before[1]);
    renameSync(path(), path("audit.10.jsonl"));
    put(before[0]);
    expect(await found()).toEqual(["torn 3", "repeated 4", "repeated 5"]);
  });

  it("may stand in another order than their lines were written in, which in one file is a finding", async () => {
    await writeMany(4);
    const [a, b, c, d] = lines();
    put(c);
    renameSync(path(), path("audit.1.jsonl"));
    put(a, b);
    renameSync(path(), path("audit.2.jsonl"));
    put(d);
    expect(await found()).toEqual([]);
    put(d, c);
    expect(await found()).toEqual(["repeated 5"]);
    writeFileSync(path("audit.1.jsonl"), "");
    expect(await found()).toEqual(["out-of-order 3"]);
  });

  it("are plain files, or nothing is read", async () => {
    await write();
    renameSync(path(), path("elsewhere"));
    symlinkSync(path("elsewhere"), path());
    expect(await codeOf(() => found())).toBe("audit");
    mkdirSync(path("audit.1.jsonl"));
    expect(await codeOf(() => found())).toBe("audit");
  });

  it("are none where nothing was written", async () => {
    expect(await found()).toEqual([]);
  });
});

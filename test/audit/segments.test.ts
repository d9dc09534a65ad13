import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa, execaSync } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { AuditLog } from "../../src/audit/log.ts";
import { SEGMENT_BYTES } from "../../src/audit/log-file.ts";
import { auditSegments } from "../../src/audit/segments.ts";
import { digest } from "../../src/vault/fingerprint.ts";
import type { Machine } from "../../src/vault/machine.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { tempFolder } from "../fixtures/temp.ts";

const vault = "0".repeat(32) as VaultId;
const key = SigningKey.derive(await generateIdentity("classic"));
const event = { action: "launch", agent: "crawler", command: "node" } as const;
let machine: Machine;
let log: AuditLog;
let folder: string;
beforeEach(() => {
  const home = tempFolder();
  machine = { env: {}, cwd: "/", home, host: "test-host", pid: 1, uid: 0, now: Date.now };
  log = new AuditLog(machine, vault, undefined);
  folder = dirname(log.path);
  mkdirSync(folder, { recursive: true });
});

const at = (number: number) => join(folder, `audit.${number}.jsonl`);
const names = () => auditSegments(folder).map((path) => basename(path));
const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
const prevOf = (line: string | undefined) => JSON.parse(line!).prev;

/** Makes the empty file and removes it, until killed. */
const TAKE_AND_GIVE_BACK = `
  const { closeSync, openSync, rmSync } = require("node:fs");
  for (;;) {
    closeSync(openSync(process.argv[1], "w"));
    rmSync(process.argv[1]);
  }`;

/** Appends lines as long as the writers', which are cut where it is killed, until then. */
const APPEND_FOREVER = `
  const { closeSync, openSync, writeSync } = require("node:fs");
  console.log("begun");
  const line = JSON.stringify({ other: "y".repeat(400_000) }) + "\\n";
  for (;;) {
    const fd = openSync(process.argv[1], "a");
    writeSync(fd, line);
    closeSync(fd);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
  }`;

/** A log that is full, and its last line. */
function fill(): string {
  const last = JSON.stringify({ last: "y".repeat(100), vault });
  writeFileSync(log.path, `${`${"x".repeat(1023)}\n`.repeat(SEGMENT_BYTES / 1024)}${last}\n`);
  return last;
}

describe("a log that has grown", () => {
  it("is moved away by the next append, and the new one goes on behind its last line", async () => {
    const last = fill();
    const full = readFileSync(log.path);
    await log.append(event, key);
    expect(readFileSync(at(1)).equals(full)).toBe(true);
    expect(linesOf(log.path)).toHaveLength(1);
    expect(prevOf(linesOf(log.path)[0])).toBe(digest(Buffer.from(last)));
    expect(lstatSync(log.path).mode & 0o777).toBe(0o600);
    await log.append(event, key);
    expect(names()).toEqual(["audit.1.jsonl", "audit.jsonl"]);
    expect(prevOf(linesOf(log.path)[1])).toBe(digest(Buffer.from(linesOf(log.path)[0]!)));
  });

  it("gets the number after the highest that is taken, by whatever, and is read in the order of numbers", async () => {
    writeFileSync(at(2), "{}\n");
    writeFileSync(at(9), "{}\n");
    symlinkSync("/nowhere", at(10));
    for (const other of ["audit.x.jsonl", "audit.012.jsonl", "audit.3.jsonl.bak", "audit.0.jsonl"])
      writeFileSync(join(folder, other), "");
    fill();
    await log.append(event, key);
    expect(names()).toEqual([2, 9, 10, 11].map((n) => `audit.${n}.jsonl`).concat("audit.jsonl"));
    expect(lstatSync(at(10)).isSymbolicLink()).toBe(true);
    expect(existsSync("/nowhere")).toBe(false);
  });

  it("goes on behind the last whole line also where a mover was killed, or a line was torn", async () => {
    await log.append(event, key);
    const [first] = linesOf(log.path);
    renameSync(log.path, at(1));
    appendFileSync(at(1), "torn");
    // The number that was taken, and nothing moved to it.
    writeFileSync(at(2), "");
    await log.append(event, key);
    expect(prevOf(linesOf(log.path)[0])).toBe(digest(Buffer.from(first!)));
    // The first line of the new file is torn itself.
    writeFileSync(log.path, '{"torn":');
    await log.append(event, key);
    expect(prevOf(linesOf(log.path)[1])).toBe(digest(Buffer.from(first!)));
  });

  it.each([
    ["a link", () => symlinkSync(join(folder, "elsewhere"), at(3))],
    ["a folder", () => mkdirSync(at(3))],
    ["a pipe", () => execaSync("mkfifo", [at(3)])],
  ])("is not begun anew behind %s", async (_, lay) => {
    writeFileSync(join(folder, "elsewhere"), "{}\n");
    lay();
    await expect(log.append(event, key)).rejects.toMatchObject({ code: "audit" });
    expect(readFileSync(log.path, "utf8")).toBe("");
  });

  it("grows on where it cannot be moved", async () => {
    fill();
    const before = linesOf(log.path).length;
    execaSync("chattr", ["+a", log.path]);
    try {
      await log.append(event, key);
      await log.append(event, key);
    } finally {
      execaSync("chattr", ["-a", log.path]);
    }
    expect(names()).toEqual(["audit.jsonl"]);
    expect(linesOf(log.path)).toHaveLength(before + 2);
  });

  it("has its lines looked for in all of its files, and takes none for there that was torn", async () => {
    const id = "a".repeat(32);
    await log.append(event, key, id);
    renameSync(log.path, at(1));
    await log.appendOnce(event, key, id);
    expect(existsSync(log.path)).toBe(false);
    writeFileSync(at(1), readFileSync(at(1)).subarray(0, -10));
    await log.appendOnce(event, key, id);
    expect(linesOf(log.path)).toHaveLength(1);
    await log.appendOnce(event, key, id);
    expect(linesOf(log.path)).toHaveLength(1);
  });

  it("is gone on with while others take numbers and give them back", async () => {
    const others = execa(process.execPath, ["-e", TAKE_AND_GIVE_BACK, at(7)], { reject: false });
    try {
      while (!existsSync(at(7))) await new Promise(setImmediate);
      for (let i = 0; i < 2000; i++) {
        rmSync(log.path, { force: true });
        const id = randomBytes(16).toString("hex");
        await log.appendOnce(event, key, id);
        expect(linesOf(log.path)).toHaveLength(1);
      }
    } finally {
      others.kill("SIGKILL");
      await others;
    }
  });

  it("is empty where there is none", () => {
    rmSync(folder, { recursive: true });
    expect(auditSegments(folder)).toEqual([]);
  });
});

describe("processes that append and move at once", () => {
  const worker = join(import.meta.dirname, "../fixtures/audit-writer.ts");

  it("lose no line, write none twice, and break no link, also where they are killed", {
    timeout: 120_000,
  }, async () => {
    const written: string[] = [];
    let torn = 0;
    const run = async (count: number, killAfterMs?: number) => {
      const writer = execa(process.execPath, [worker, machine.home, String(count)], { reject: false });
      const timer =
        killAfterMs === undefined ? undefined : setTimeout(() => writer.kill("SIGKILL"), killAfterMs);
      const { stdout, exitCode, signal } = await writer;
      clearTimeout(timer);
      if (signal === "SIGKILL") torn++;
      else expect(exitCode).toBe(0);
      written.push(...stdout.split("\n").filter((id) => id.length === 32));
    };
    const killed = Array.from({ length: 24 }, (_, n) => () => run(1000, 250 + ((n * 37) % 300)));
    const killer = async () => {
      for (let next = killed.shift(); next !== undefined; next = killed.shift()) await next();
    };
    await Promise.all([run(120), run(120), killer(), killer()]);
    expect(torn).toBe(24);
    const segments = auditSegments(folder);
    expect(segments.length).toBeGreaterThan(5);
    const lines = segments.flatMap(linesOf);
    const whole = lines.flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
    expect(lines.length - whole.length).toBeLessThanOrEqual(torn);
    const ids = whole.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(written.filter((id) => !ids.includes(id))).toEqual([]);
    expect(ids.length - written.length).toBeLessThanOrEqual(torn);
    // Also one that was glued to half a line may be linked to, before it is written again.
    const known = new Set(lines.map((line) => digest(Buffer.from(line))));
    const open = whole.filter(({ prev }) => prev !== undefined && !known.has(prev));
    expect(open).toEqual([]);
    // As many began as found no line: at the very start alone.
    expect(whole.filter(({ prev }) => prev === undefined).length).toBeLessThanOrEqual(4);
    expect(readdirSync(folder).sort()).toEqual(segments.map((path) => basename(path)).sort());
  });

  it("lose no line, and write none twice, where others are killed in the middle of theirs", {
    timeout: 120_000,
  }, async () => {
    const writers = [1, 2].map(() => execa(process.execPath, [worker, machine.home, "250"]));
    let isOver = false;
    const over = Promise.all(writers).finally(() => {
      isOver = true;
    });
    let killed = 0;
    while (!isOver) {
      const other = execa(process.execPath, ["-e", APPEND_FOREVER, log.path], { reject: false });
      await once(other.stdout, "data");
      await delay(Math.random() * 10);
      other.kill("SIGKILL");
      killed += (await other).signal === "SIGKILL" ? 1 : 0;
    }
    const written = (await over).flatMap(({ stdout }) => stdout.split("\n"));
    const lines = auditSegments(folder).flatMap(linesOf);
    const ids = lines.flatMap((line) => {
      try {
        return JSON.parse(line).id ?? [];
      } catch {
        return [];
      }
    });
    expect(written).toHaveLength(500);
    expect(killed).toBeGreaterThan(5);
    expect(ids.sort()).toEqual(written.sort());
  });
});

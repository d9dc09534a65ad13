import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { type Lock, takeLock } from "../../src/vault/lock.ts";
import type { LockHolder } from "../../src/vault/lock-holder.ts";
import { tempFolder } from "../fixtures/temp.ts";

const self = { pid: process.pid, host: "test-host", doing: "test" };
/** What a holder of this PID namespace leaves. */
const left = { ...self, space: readlinkSync("/proc/self/ns/pid") };

const DRAFT = /^lock\.[0-9a-f]{32}$/;

async function take(
  path: string,
  as = self,
  waitMs = 0,
  onWait: (holder: LockHolder) => void = () => {},
): Promise<Lock> {
  const lock = await takeLock(path, as, { waitMs, onWait });
  if (lock === undefined) throw new TypeError("a lock that nothing made moot");
  return lock;
}

describe("a lock", () => {
  it("is held by one at a time, and the other waits", async () => {
    const path = join(tempFolder(), "lock");
    const first = await take(path);
    const order: string[] = [];
    const second = take(path, self, 5000, (holder) => order.push(`waits for ${holder.doing}`)).then(
      (lock) => {
        order.push("has it");
        return lock;
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    order.push("released");
    first.release();
    (await second).release();
    expect(order).toEqual(["waits for test", "released", "has it"]);
    expect(existsSync(path)).toBe(false);
  });

  it("names its holder to whoever cannot have it", async () => {
    const path = join(tempFolder(), "lock");
    await take(path, { ...self, doing: "revoke" });
    await expect(take(path, self, 60)).rejects.toThrow(`revoke, process ${process.pid} on test-host`);
  });

  it("of a process that died is taken over", async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    const dead = execa("sleep", ["60"], { reject: false });
    await take(path, { ...self, pid: dead.pid ?? 0 });
    dead.kill("SIGKILL");
    await dead;
    (await take(path)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("of a process whose id was given to another is taken over", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, JSON.stringify({ ...left, started: "1", token: "00" }));
    (await take(path)).release();
  });

  it("of a process whose id another user's process has now is taken over", async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    chmodSync(folder, 0o777);
    writeFileSync(path, JSON.stringify({ ...left, started: "1", token: "00" }));
    const asker = join(import.meta.dirname, "../fixtures/lock-asker.ts");
    await execa(process.execPath, [asker, path, "65534"]);
    expect(existsSync(path)).toBe(false);
  });

  it("of another PID namespace, where its number is another process, is never taken over", async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    const asker = join(import.meta.dirname, "../fixtures/lock-asker.ts");
    await take(path);
    const inside = ["--pid", "--fork", process.execPath, asker, path, "0"];
    const { stderr } = await execa("unshare", inside, { reject: false });
    expect(stderr).toContain(`process ${process.pid} on test-host`);
    writeFileSync(
      path,
      JSON.stringify({ ...left, space: "pid:[1]", pid: 2 ** 22 + 1, started: "1", token: "0" }),
    );
    await expect(take(path, self, 60)).rejects.toThrow("on test-host, in another container or PID namespace");
  });

  it("of another host is never taken over", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, JSON.stringify({ ...left, host: "elsewhere", pid: 1, started: "1", token: "00" }));
    await expect(take(path, self, 60)).rejects.toThrow("on elsewhere");
  });

  it.each([
    "{}",
    "[".repeat(100_000),
    JSON.stringify({ ...left, pid: 1.5, started: "1", token: "0" }),
    JSON.stringify({ ...left, pid: 1, started: "1", token: "0", doing: "\u001b[2J" }),
    JSON.stringify({ ...left, pid: 1, started: "1", token: "0", host: "x".repeat(1025) }),
  ])("that is no lock file is left alone (%#)", async (content) => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, content);
    await expect(take(path)).rejects.toThrow(/not a lock file/);
    expect(existsSync(path)).toBe(true);
  });

  it("of another host is taken over once it is older than the caller allows", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, JSON.stringify({ ...left, host: "elsewhere", pid: 1, started: "1", token: "00" }));
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    (await takeLock(path, self, { waitMs: 0, staleAfterMs: 5000 }))?.release();
    expect(existsSync(path)).toBe(false);
  });

  it("is rid of what killed processes left beside it, once someone has it", async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    const dead = JSON.stringify({ ...left, pid: 2 ** 22 + 1, started: "1", token: "00" });
    writeFileSync(`${path}.${"0".repeat(32)}`, "");
    writeFileSync(`${path}.${"1".repeat(32)}`, dead);
    mkdirSync(`${path}.takeover`);
    writeFileSync(`${path}.takeover/lock`, dead);
    writeFileSync(join(folder, "lock.json"), "another's");
    (await take(path)).release();
    expect(readdirSync(folder)).toEqual(["lock.json"]);
  });

  it("is had again by who was asking when its draft was tidied away", async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    const first = await take(path);
    const second = take(path, self, 5000);
    for (let i = 0; i < 20; i++) {
      for (const name of readdirSync(folder)) if (name !== "lock") unlinkSync(join(folder, name));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    first.release();
    (await second).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("that was taken over while its holder stood still lets it replace nothing any more", async () => {
    const folder = tempFolder();
    const [path, file] = [join(folder, "lock"), join(folder, "file")];
    const late = { waitMs: 0, staleAfterMs: 5000 };
    const first = await take(path);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    const second = await takeLock(path, self, late);
    second?.replaceFile(file, Buffer.from("newer"));
    expect(() => first.replaceFile(file, Buffer.from("older"))).toThrow(/stood still/);
    second?.release();
    expect(() => first.replaceFile(file, Buffer.from("older"))).toThrow(/stood still/);
    expect(readFileSync(file, "utf8")).toBe("newer");
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("that was taken over in the midst of its holder's writing stays so, wherever that one stood", async () => {
    const folder = tempFolder();
    const [path, file] = [join(folder, "lock"), join(folder, "file")];
    const writer = execa(
      process.execPath,
      [join(import.meta.dirname, "../fixtures/lock-writer.ts"), path, file],
      {
        reject: false,
      },
    );
    const isWriting = () => readdirSync(folder).some((name) => DRAFT.test(name)) && existsSync(path);
    while (!isWriting() && !existsSync(file)) await new Promise(setImmediate);
    writer.kill("SIGSTOP");
    const longAgo = new Date(Date.now() - 60_000);
    if (existsSync(path)) utimesSync(path, longAgo, longAgo);
    const second = await takeLock(path, self, { waitMs: 0, staleAfterMs: 5000 });
    second?.replaceFile(file, Buffer.from("newer"));
    writer.kill("SIGCONT");
    await writer;
    expect(readFileSync(file, "utf8")).toBe("newer");
    second?.release();
  });

  it("that is a link is no lock, and is not waited for", async () => {
    const path = join(tempFolder(), "lock");
    symlinkSync("nowhere", path);
    await expect(take(path, self, 1000)).rejects.toThrow(/not a lock file/);
  });

  it("is given up waiting for when its purpose is served", async () => {
    const path = join(tempFolder(), "lock");
    await take(path);
    expect(await takeLock(path, self, { waitMs: 5000, isMoot: () => true })).toBeUndefined();
  });

  it("that is gone or another's is left alone by its former holder", async () => {
    const path = join(tempFolder(), "lock");
    const first = await take(path);
    unlinkSync(path);
    first.release();
    const second = await take(path);
    first.release();
    expect(existsSync(path)).toBe(true);
    second.release();
  });

  it("is never held by two, also while dead ones are taken over", { timeout: 120_000 }, async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    const worker = join(import.meta.dirname, "../fixtures/lock-worker.ts");
    const workers = Array.from({ length: 6 }, () => execa(process.execPath, [worker, path, folder, "4000"]));
    const turns = (await Promise.all(workers)).map(({ stdout }) => Number(stdout));
    expect(turns.reduce((sum, n) => sum + n)).toBeGreaterThan(50);
    expect(readdirSync(folder).filter((name) => name.startsWith("double"))).toEqual([]);
  });
});

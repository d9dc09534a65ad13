import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { takeLock } from "../../src/vault/lock.ts";
import { tempFolder } from "../fixtures/temp.ts";

const self = { pid: process.pid, host: "test-host", doing: "test" };

describe("a lock", () => {
  it("is held by one at a time, and the other waits", async () => {
    const path = join(tempFolder(), "lock");
    const first = await takeLock(path, self, 0);
    const order: string[] = [];
    const second = takeLock(path, self, 5000, (holder) => order.push(`waits for ${holder.doing}`)).then(
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
    await takeLock(path, { ...self, doing: "revoke" }, 0);
    await expect(takeLock(path, self, 60)).rejects.toThrow(`revoke, process ${process.pid} on test-host`);
  });

  it("of a process that died is taken over", async () => {
    const folder = tempFolder();
    const path = join(folder, "lock");
    const dead = execa("sleep", ["60"], { reject: false });
    await takeLock(path, { ...self, pid: dead.pid ?? 0 }, 0);
    dead.kill("SIGKILL");
    await dead;
    (await takeLock(path, self, 0)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("of a process whose id was given to another is taken over", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, JSON.stringify({ ...self, started: "1" }));
    (await takeLock(path, self, 0)).release();
  });

  it("of another host is never taken over", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, JSON.stringify({ ...self, host: "elsewhere", pid: 1, started: "1" }));
    await expect(takeLock(path, self, 60)).rejects.toThrow("on elsewhere");
  });

  it("that is no lock file is left alone", async () => {
    const path = join(tempFolder(), "lock");
    writeFileSync(path, "{}");
    await expect(takeLock(path, self, 0)).rejects.toThrow(/not a lock file/);
    expect(existsSync(path)).toBe(true);
  });
});

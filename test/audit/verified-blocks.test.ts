import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { VerifiedBlocks } from "../../src/audit/verified-blocks.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { tempFolder } from "../fixtures/temp.ts";

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const [identity, other] = await Promise.all([generateIdentity("classic"), generateIdentity("classic")]);
const BLOCK = "a".repeat(64);
const ANOTHER = "b".repeat(64);

let path: string;
beforeEach(() => {
  path = join(tempFolder(), "verified-log", "key.json");
});
const open = (by = identity, of = vault) => new VerifiedBlocks(path, of, by);

function remember(...others: number[]): void {
  const blocks = open();
  blocks.add(BLOCK, others);
  blocks.save();
}

describe("the blocks that were verified", () => {
  it("are remembered with the lines in them that do not hold, for the user alone", () => {
    remember(3, 7);
    expect([...open().find(BLOCK)!]).toEqual([3, 7]);
    expect(open().find(ANOTHER)).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("are those of the last reading, and no others", () => {
    remember();
    const blocks = open();
    blocks.find(BLOCK);
    blocks.add(ANOTHER, [1]);
    blocks.save();
    expect([open().find(BLOCK)?.size, open().find(ANOTHER)?.size]).toEqual([0, 1]);
    const after = open();
    after.find(ANOTHER);
    after.add("c".repeat(64), []);
    after.save();
    expect(open().find(BLOCK)).toBeUndefined();
  });

  it("are not believed where anyone changed the list, made it for another vault, or with another key (A20)", () => {
    remember(3);
    expect(open(other).find(BLOCK)).toBeUndefined();
    expect(open(identity, "f".repeat(32) as VaultId).find(BLOCK)).toBeUndefined();
    const text = readFileSync(path, "utf8");
    for (const changed of [
      text.replace("[3]", "[]"),
      text.replace("aaa", "bbb"),
      text.slice(45),
      "",
      "{}\n",
    ]) {
      writeFileSync(path, changed);
      expect(open().find(BLOCK)).toBeUndefined();
    }
    writeFileSync(path, text);
    expect(open().find(BLOCK)?.size).toBe(1);
  });

  it("are forgotten where most of a block does not hold, and where nothing can be written", () => {
    const blocks = open();
    blocks.add(
      BLOCK,
      Array.from({ length: 501 }, (_, i) => i),
    );
    blocks.save();
    expect(open().find(BLOCK)).toBeUndefined();
    const nowhere = new VerifiedBlocks("/proc/none/key.json", vault, identity);
    nowhere.add(BLOCK, []);
    expect(() => nowhere.save()).not.toThrow();
    remember();
    chmodSync(path, 0o600);
    expect(open().find("__proto__")).toBeUndefined();
  });
});

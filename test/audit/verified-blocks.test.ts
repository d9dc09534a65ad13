import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { BlockTable } from "../../src/audit/block-table.ts";
import type { LineShape } from "../../src/audit/finding.ts";
import { VerifiedBlocks } from "../../src/audit/verified-blocks.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { tempFolder } from "../fixtures/temp.ts";

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const [identity, other] = await Promise.all([generateIdentity("classic"), generateIdentity("classic")]);
const BLOCK = "a".repeat(64);
const ANOTHER = "b".repeat(64);

let path: string;
beforeEach(() => {
  path = join(tempFolder(), "verified-log", "key");
});
const open = (by = identity, of = vault) => new VerifiedBlocks(path, of, by);
const shape = (host: string): LineShape => ({ vault, action: "get", key: "k", host, uid: 7 });
const digestOf = (word: number) => new Uint32Array(6).fill(word);

/** A line, an empty one, one that does not hold, and one behind a line that stands elsewhere. */
function tableIn(blocks: VerifiedBlocks, host = "h"): BlockTable {
  const number = blocks.numberOf(shape(host));
  return BlockTable.of([
    { at: 5, shape: number, digest: digestOf(1), prev: undefined },
    null,
    undefined,
    { at: 6, shape: number, digest: digestOf(2), prev: digestOf(9) },
    { at: 7, shape: undefined, digest: digestOf(3), prev: digestOf(2) },
  ]);
}

function remember(block = BLOCK, host = "h"): void {
  const blocks = open();
  blocks.add(block, tableIn(blocks, host));
  blocks.save();
}

describe("the blocks that were verified", () => {
  it("are remembered with what stands in them, for the user alone", () => {
    remember();
    const blocks = open();
    const table = blocks.find(BLOCK)!;
    expect(table.lines).toBe(5);
    expect([0, 1, 2, 3, 4].map((at) => [table.isHeld(at), table.isEmpty(at)])).toEqual([
      [true, false],
      [false, true],
      [false, false],
      [true, false],
      [true, false],
    ]);
    expect(table.unheld).toBe(1);
    expect([table.timeOf(0), table.timeOf(3)]).toEqual([5, 6]);
    expect(blocks.shapeOf(table.shapeOf(3)!)).toEqual(shape("h"));
    expect(table.shapeOf(4)).toBeUndefined();
    expect([0, 3, 4].map((at) => table.prevOf(at))).toEqual([undefined, 5, 3]);
    expect(table.digests.slice(5 * 6, 6 * 6)).toEqual(digestOf(9));
    expect(blocks.find(ANOTHER)).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("are those of the last reading, and no others, and so is what their lines say", () => {
    remember(BLOCK, "one");
    const blocks = open();
    expect(blocks.find(BLOCK)).toBeDefined();
    blocks.add(ANOTHER, tableIn(blocks, "two"));
    blocks.save();
    const both = open();
    expect([BLOCK, ANOTHER].map((block) => both.shapeOf(both.find(block)!.shapeOf(0)!).host)).toEqual([
      "one",
      "two",
    ]);
    const after = open();
    after.find(ANOTHER);
    after.add("c".repeat(64), tableIn(after, "two"));
    after.save();
    expect(open().find(BLOCK)).toBeUndefined();
    expect(readFileSync(path, "latin1")).not.toContain("one");
    const again = open();
    // The number that nothing has any more is given to what comes.
    expect([again.numberOf(shape("two")), again.numberOf(shape("three"))]).toEqual([1, 0]);
  });

  it("are not believed where anyone changed the list, made it for another vault, or with another key (A20)", () => {
    remember();
    expect(open(other).find(BLOCK)).toBeUndefined();
    expect(open(identity, "f".repeat(32) as VaultId).find(BLOCK)).toBeUndefined();
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(path, changed);
      expect(open().find(BLOCK), `byte ${at}`).toBeUndefined();
    }
    for (const length of [0, 10, 32, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(open().find(BLOCK)).toBeUndefined();
    }
    writeFileSync(path, bytes);
    expect(open().find(BLOCK)).toBeDefined();
  });

  it("are forgotten where they have more lines than honest ones have, and where nothing can be written", () => {
    const blocks = open();
    blocks.add(BLOCK, BlockTable.of(Array.from({ length: 1001 }, () => null)));
    blocks.save();
    expect(open().find(BLOCK)).toBeUndefined();
    const nowhere = new VerifiedBlocks("/proc/none/key", vault, identity);
    nowhere.add(BLOCK, tableIn(nowhere));
    expect(() => nowhere.save()).not.toThrow();
    remember();
    expect(open().find("__proto__")).toBeUndefined();
  });

  it("hold no more different things that lines say than 20,000", () => {
    const blocks = open();
    for (let i = 0; i < 20_000; i++) blocks.numberOf(shape(`h${i}`));
    expect([blocks.numberOf(shape("more")), blocks.numberOf(shape("h7"))]).toEqual([undefined, 7]);
  });

  it("hold nothing of what a line says beyond what it must", () => {
    const blocks = open();
    const leak = { secret: "web/ONE", stream: "stdout", encoding: "raw", count: 1, value: "a value" };
    const line = { ...shape("h"), leaks: [leak], note: "a value" };
    const number = blocks.numberOf(line)!;
    expect(JSON.stringify(blocks.shapeOf(number))).not.toContain("a value");
    expect(blocks.shapeOf(number)).toEqual({
      ...shape("h"),
      leaks: [{ secret: "web/ONE", stream: "stdout", encoding: "raw", count: 1 }],
    });
  });
});

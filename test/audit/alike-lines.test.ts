import { describe, expect, it } from "vitest";
import { type Alike, AlikeLines } from "../../src/audit/alike-lines.ts";
import { BlockTexts } from "../../src/audit/blocks.ts";
import type { LineShape } from "../../src/audit/finding.ts";
import { RememberedLine } from "../../src/audit/line-view.ts";

const NOON = Date.parse("2026-11-28T12:00:00.000Z");
const DAY_MS = 86_400_000;
const shape = (host: string): LineShape => ({ vault: "", action: "get", key: "", host, uid: 0 });
const texts = new BlockTexts(Buffer.alloc(0));

describe("alike lines", () => {
  it("are told as one, by what they say and by day, with the first and the last time", () => {
    const told: Alike[] = [];
    const lines = new AlikeLines((alike) => told.push(alike));
    const [one, two] = [shape("one"), shape("two")];
    for (const [said, at] of [
      [one, NOON + 5],
      [two, NOON + 1],
      [one, NOON + 3],
      [one, NOON + 9],
      [one, NOON + DAY_MS],
    ] as const)
      lines.add(new RememberedLine(said, at, texts, 0));
    lines.end();
    lines.end();
    expect(told).toEqual([
      { shape: one, count: 3, first: NOON + 3, last: NOON + 9 },
      { shape: two, count: 1, first: NOON + 1, last: NOON + 1 },
      { shape: one, count: 1, first: NOON + DAY_MS, last: NOON + DAY_MS },
    ]);
  });

  it("are told before many thousands that are not alike wait", () => {
    let told = 0;
    const lines = new AlikeLines(() => told++);
    for (let i = 0; i < 10_001; i++) lines.add(new RememberedLine(shape("h"), NOON, texts, 0));
    expect(told).toBe(10_000);
    lines.end();
    expect(told).toBe(10_001);
  });
});

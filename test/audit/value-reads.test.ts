import { describe, expect, it } from "vitest";
import type { AuditAction } from "../../src/audit/actions.ts";
import type { LineShape } from "../../src/audit/finding.ts";
import { ValueReads } from "../../src/audit/value-reads.ts";

const day = (date: string) => Date.parse(`${date}T00:00:00.000Z`);

function alike(date: string, action: AuditAction, key: string, valueIds: string[], count = 1, until = date) {
  const secrets = valueIds.map((valueId) => ({ group: "web", name: "ONE", valueId }));
  const shape: LineShape = { vault: "", uid: 0, action, key, host: "h", secrets };
  return { shape, count, first: day(date), last: day(until) };
}

describe("the values that were read", () => {
  it("are those that lines of a pull say, the first time, the last time and how often, by key", () => {
    const reads = new ValueReads();
    reads.add(alike("2026-02-01", "launch", "a", ["1", "1", "2"]));
    reads.add(alike("2026-01-01", "get", "a", ["1"], 3, "2026-01-02"));
    reads.add(alike("2026-03-01", "redact", "a", ["1"]));
    reads.add(alike("2026-04-01", "set", "a", ["1", "3"]));
    reads.add(alike("2026-04-01", "denied", "a", ["1", "3"]));
    expect(reads.find("a", "1")).toMatchObject({
      first: { at: "2026-01-01T00:00:00.000Z", host: "h", action: "get" },
      last: "2026-03-01T00:00:00.000Z",
      count: 5,
    });
    expect([reads.find("a", "2")?.count, reads.find("a", "3"), reads.find("b", "1")]).toEqual([
      1,
      undefined,
      undefined,
    ]);
  });
});

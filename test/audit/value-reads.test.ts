import { describe, expect, it } from "vitest";
import type { AuditAction } from "../../src/audit/actions.ts";
import type { AuditLine } from "../../src/audit/event.ts";
import type { LineStatus } from "../../src/audit/finding.ts";
import { ValueReads } from "../../src/audit/value-reads.ts";

function read(
  time: string,
  action: AuditAction,
  key: string,
  valueIds: string[],
  status: LineStatus = "verified",
) {
  const secrets = valueIds.map((valueId) => ({ group: "web", name: "ONE", valueId }));
  return { status, line: { time, action, key, host: "h", secrets } as unknown as AuditLine };
}

describe("the values that were read", () => {
  it("are those that a verified line of a pull says, the first time, the last time and how often, by key", () => {
    const reads = new ValueReads();
    reads.add(read("2026-02-01", "launch", "a", ["1", "1", "2"]));
    reads.add(read("2026-01-01", "get", "a", ["1"]));
    reads.add(read("2026-03-01", "redact", "a", ["1"]));
    reads.add(read("2026-04-01", "set", "a", ["1", "3"]));
    reads.add(read("2026-04-01", "denied", "a", ["1", "3"]));
    reads.add(read("2026-04-01", "launch", "a", ["1", "3"], "bad-signature"));
    expect(reads.find("a", "1")).toMatchObject({
      first: { at: "2026-01-01", host: "h", action: "get" },
      last: "2026-03-01",
      count: 3,
    });
    expect([reads.find("a", "2")?.count, reads.find("a", "3"), reads.find("b", "1")]).toEqual([
      1,
      undefined,
      undefined,
    ]);
  });
});

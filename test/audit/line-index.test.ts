import { describe, expect, it } from "vitest";
import { LineIndex, Mark } from "../../src/audit/line-index.ts";
import { digest } from "../../src/vault/fingerprint.ts";

describe("the index of lines", () => {
  it("finds each of many again, with what is known of it", () => {
    const index = new LineIndex();
    for (let i = 0; i < 5000; i++) {
      const number = index.numberOf(digest(`line ${i}`))!;
      expect(number).toBe(i);
      index.mark(number, i % 2 === 0 ? Mark.local : Mark.seen | Mark.held);
      if (i % 3 === 0) index.setLog(number, i % 7);
    }
    for (let i = 0; i < 5000; i++) {
      const number = index.numberOf(digest(`line ${i}`))!;
      expect([
        number,
        index.has(number, Mark.local),
        index.has(number, Mark.held),
        index.logOf(number),
      ]).toEqual([i, i % 2 === 0, i % 2 === 1, i % 3 === 0 ? i % 7 : undefined]);
    }
    expect(index.size).toBe(5000);
  });

  it("tells lines apart whose digests begin alike", () => {
    const index = new LineIndex();
    const alike = (last: string) => `${"ab".repeat(15)}${last}${"00".repeat(16)}`;
    expect([index.numberOf(alike("00")), index.numberOf(alike("01")), index.numberOf(alike("00"))]).toEqual([
      0, 1, 0,
    ]);
  });

  it("has no number for what is no digest", () => {
    const index = new LineIndex();
    for (const text of ["", "ab", "AB".repeat(32), `zz${"ab".repeat(31)}`, "\u0e50".repeat(64)])
      expect(index.numberOf(text)).toBeUndefined();
    expect(index.size).toBe(0);
  });
});

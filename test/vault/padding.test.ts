import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paddedLength, SMALLEST_BUCKET_BYTES } from "../../src/vault/padding.ts";

describe("a padded length", () => {
  it("is the smallest bucket for all that fits there", () => {
    for (const length of [0, 1, 511, 512]) expect(paddedLength(length)).toBe(SMALLEST_BUCKET_BYTES);
  });

  // Worked by hand from the definition: E = floor(log2 L), S = floor(log2 E) + 1, multiples of 2^(E - S).
  it.each([
    [513, 544],
    [1000, 1024],
    [1024, 1024],
    [1025, 1088],
    [4097, 4352],
    [1_048_576, 1_048_576],
    [1_048_577, 1_081_344],
  ])("of %i is %i", (length, padded) => {
    expect(paddedLength(length)).toBe(padded);
  });

  it("is never shorter, at most 12 % longer above the floor, monotonic, and its own bucket", () => {
    fc.assert(
      fc.property(fc.integer({ min: 513, max: 10_000_000 }), (length) => {
        const padded = paddedLength(length);
        expect(padded).toBeGreaterThanOrEqual(length);
        expect(padded).toBeLessThanOrEqual(length * 1.12);
        expect(paddedLength(padded)).toBe(padded);
        expect(paddedLength(length + 1)).toBeGreaterThanOrEqual(padded);
      }),
    );
  });
});

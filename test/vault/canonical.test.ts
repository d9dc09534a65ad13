import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText, inOrder } from "../../src/vault/canonical.ts";

const name = fc.string().filter((text) => !/^\d/.test(text) && text !== "__proto__");
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 6 }),
  ),
}));

describe("the canonical text", () => {
  it("is that of RFC 8785, as the package by its author has it", () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(canonicalText(json)).toBe(canonicalize(json));
      }),
      { numRuns: 3000 },
    );
  });

  it("has keys in the order of UTF-16 code units, and leaves out what is undefined", () => {
    expect(canonicalText({ "\u{1f600}": 1, "\ufb33": 2, b: undefined, a: [{ z: 1, y: 2 }], A: 3 })).toBe(
      '{"A":3,"a":[{"y":2,"z":1}],"\u{1f600}":1,"\ufb33":2}',
    );
  });

  it.each([
    ["half a character", { a: "\ud800" }],
    ["half a character in a name", { "\ud800": 1 }],
    ["a number that is none", { a: Number.NaN }],
    ["an endless number", [Number.POSITIVE_INFINITY]],
    ["a function", { a: () => {} }],
    ["nothing", undefined],
    ["a name that objects put elsewhere", { "10": 1, "9": 2 }],
  ])("is refused to %s", (_, json) => {
    expect(() => canonicalText(json)).toThrow(/canonical form/);
  });

  it("makes no copy of what is in order", () => {
    const record = { a: { b: [1, { c: 2 }] }, d: "x" };
    expect(inOrder(record)).toBe(record);
    expect(inOrder({ d: "x", a: 1 })).toEqual({ a: 1, d: "x" });
  });
});

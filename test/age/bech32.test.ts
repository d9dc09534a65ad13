import { bech32 } from "@scure/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBech32 } from "../../src/age/bech32.ts";

const PREFIX = "age1pq";
const encoded = (bytes: Uint8Array, prefix = PREFIX) =>
  bech32.encode(prefix, bech32.toWords(bytes), false) as string;

/** What @scure/base makes of it, of the one prefix and length. */
function theirs(text: string, byteCount: number): Buffer | undefined {
  try {
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, false);
    const bytes = Buffer.from(bech32.fromWords(words));
    return prefix === PREFIX && bytes.length === byteCount && text === text.toLowerCase() ? bytes : undefined;
  } catch {
    return undefined;
  }
}

describe("Bech32", () => {
  it("is read back as it was written, of every length", () => {
    for (let length = 0; length <= 80; length++) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length) & 0xff));
      expect(decodeBech32(encoded(bytes), PREFIX, length)).toEqual(bytes);
    }
    const long = Buffer.alloc(1216, 0xa5);
    expect(decodeBech32(encoded(long), PREFIX, 1216)).toEqual(long);
  });

  it("is read as @scure/base reads it, with any characters changed", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.array(
          fc.record({ at: fc.nat(80), put: fc.constantFrom(..."qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioQP-é") }),
          {
            maxLength: 2,
          },
        ),
        (bytes, changes) => {
          const text = changes.reduce(
            (before, { at, put }) => before.slice(0, at) + put + before.slice(at + 1),
            encoded(bytes),
          );
          expect(decodeBech32(text, PREFIX, bytes.length)).toEqual(theirs(text, bytes.length));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it("has one prefix, one length and one spelling", () => {
    const bytes = Buffer.alloc(32, 9);
    expect(decodeBech32(encoded(bytes, "age"), PREFIX, 32)).toBeUndefined();
    expect(decodeBech32(encoded(bytes), PREFIX, 31)).toBeUndefined();
    expect(decodeBech32(encoded(bytes).toUpperCase(), PREFIX, 32)).toBeUndefined();
    // A last bit that no byte has.
    const words = [...bech32.toWords(bytes)];
    words[words.length - 1] = (words.at(-1) ?? 0) | 1;
    expect(decodeBech32(bech32.encode(PREFIX, words, false), PREFIX, 32)).toBeUndefined();
  });
});

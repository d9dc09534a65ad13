import { hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hkdf } from "../../src/age/hkdf.ts";

describe("HKDF", () => {
  it("is node's own", () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, bytes, fc.string(), (input, salt, info) => {
        expect(hkdf(input, salt, info)).toEqual(Buffer.from(hkdfSync("sha256", input, salt, info, 32)));
      }),
    );
  });

  it("takes no salt for one of zeros (RFC 5869)", () => {
    const input = Buffer.from("some input");
    expect(hkdf(input, "", "x")).toEqual(hkdf(input, Buffer.alloc(32), "x"));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { paddedLength } from "../../src/vault/padding.ts";
import {
  decodeIdentity,
  decodeValue,
  encodeIdentity,
  encodeValue,
  grantContext,
  secretContext,
} from "../../src/vault/payload.ts";
import { VaultError } from "../../src/vault-error.ts";

const names = {
  vault: "0123456789abcdef0123456789abcdef",
  group: "stripe",
  name: "API_KEY",
  epoch: 1,
  valueId: "00112233445566778899aabbccddeeff",
};
const context = secretContext(names as never);

describe("what is sealed", () => {
  it("gives back every value byte for byte, padded to a bucket", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 2000 }),
          fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const payload = encodeValue(context, Buffer.from(bytes));
          expect(payload.length).toBe(paddedLength(payload.length));
          expect(decodeValue("x", context, payload).equals(Buffer.from(bytes))).toBe(true);
        },
      ),
    );
  });

  it("does not tell the length of a short value", () => {
    const lengths = [1, 10, 40, 100].map((length) => encodeValue(context, Buffer.alloc(length, "x")).length);
    expect(new Set(lengths).size).toBe(1);
  });

  it.each([
    ["another vault", { vault: "ffffffffffffffffffffffffffffffff" }],
    ["another group", { group: "prod" }],
    ["another name", { name: "TEST_KEY" }],
    ["another epoch", { epoch: 2 }],
    ["another value id", { valueId: "ffffffffffffffffffffffffffffffff" }],
  ])("is refused in %s (A4)", (_, change) => {
    const payload = encodeValue(context, Buffer.from("value"));
    const elsewhere = secretContext({ ...names, ...change } as never);
    expect(() => decodeValue("x", elsewhere, payload)).toThrow(VaultError);
  });

  it("is refused as another type of record", async () => {
    const grant = grantContext({ ...names, agent: "crawler" } as never);
    const payload = encodeIdentity(grant, await generateIdentity("classic"));
    expect(() => decodeValue("x", context, payload)).toThrow(VaultError);
    expect(() => decodeIdentity("x", context, payload)).toThrow(VaultError);
    expect(decodeIdentity("x", grant, payload).suite).toBe("classic");
  });

  it.each([
    ["a doubled key", '{"value":"b",'],
    ["an added key", '{"admin":"1",'],
  ])("is refused with %s", (_, beginning) => {
    const payload = encodeValue(context, Buffer.from("value")).toString().replace("{", beginning);
    expect(() => decodeValue("x", context, Buffer.from(payload))).toThrow(VaultError);
  });

  it("is refused with half a character", () => {
    const payload = encodeValue(context, Buffer.from("value"))
      .toString()
      .replace('"value":"value"', '"value":"\\ud800"');
    expect(() => decodeValue("x", context, Buffer.from(payload))).toThrow(VaultError);
  });

  it.each(["", "   ", "null", "[]", "{", '"text"', "{}"])("is refused where it is %j", (text) => {
    expect(() => decodeValue("x", context, Buffer.from(text))).toThrow(VaultError);
  });

  it("says nothing of what it held when it is refused (promise 10)", () => {
    const payload = encodeValue(context, Buffer.from("sk_live_value"));
    try {
      decodeValue("x", secretContext({ ...names, epoch: 9 } as never), payload);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("sk_live");
    }
  });
});

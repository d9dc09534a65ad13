import { bech32 } from "@scure/base";
import { describe, expect, it } from "vitest";
import { Identity } from "../../src/age/identity.ts";
import { isSignatureText, parseVerifyKey, SigningKey, verifySignature } from "../../src/age/signing-key.ts";

const secret = new Uint8Array(32).fill(0x42);
const text = bech32.encode("AGE-SECRET-KEY-", bech32.toWords(secret), false).toUpperCase();
const identity = Identity.parse(text) as Identity;
const key = SigningKey.derive(identity);

describe("a signing key", () => {
  it("is the Ed25519 key of the seed that HKDF derives from the 32 secret bytes", () => {
    // Computed by Python's cryptography: HKDF(SHA256, 32, salt=None, info).derive(b"\x42" * 32) as an Ed25519 seed.
    expect(key.verifyKey).toBe("D8//Fh05ANxjir2PnH9wa4Fn9WrGsgOq+dM95mt5Cj0=");
  });

  it("signs what its verify key verifies, and nothing else", () => {
    const message = Buffer.from("a record");
    const signature = key.sign(message);
    expect(isSignatureText(signature)).toBe(true);
    expect(verifySignature(key.verifyKey, message, signature)).toBe(true);
    expect(verifySignature(key.verifyKey, Buffer.from("another"), signature)).toBe(false);
  });

  it("has one spelling", () => {
    expect(parseVerifyKey(key.verifyKey)).toBe(key.verifyKey);
    // The last character carries four bits that belong to no byte.
    expect(parseVerifyKey(key.verifyKey.replace(/.=$/, "B="))).toBeUndefined();
    expect(parseVerifyKey(key.verifyKey.replace("=", ""))).toBeUndefined();
    expect(parseVerifyKey(`${key.verifyKey}\n`)).toBeUndefined();
  });
});

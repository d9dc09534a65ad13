import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { InternalError } from "../vault-error.ts";

// The keys of RFC 8037 (Ed25519, X25519) from their 32 bytes and back, as JWK: of the forms that node takes, the one that
// needs no decoder of OpenSSL's, which a launch would wait for.

export type Curve = "Ed25519" | "X25519";

export function okpPrivateKey(crv: Curve, secret: Uint8Array): KeyObject {
  // The public part follows from the secret one; of `x` node asks only that it is a text.
  const key = { kty: "OKP", crv, d: Buffer.from(secret).toString("base64url"), x: "" };
  return createPrivateKey({ key, format: "jwk" });
}

export function okpPublicKey(crv: Curve, bytes: Buffer): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv, x: bytes.toString("base64url") }, format: "jwk" });
}

/** The 32 bytes of the public key that belongs to a private one. */
export function okpPublicBytes(privateKey: KeyObject): Buffer {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  if (x === undefined) throw new InternalError("a public key without its bytes");
  return Buffer.from(x, "base64url");
}

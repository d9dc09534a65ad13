import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { InternalError, systemCode } from "../vault-error.ts";

// The keys of RFC 8037 (Ed25519, X25519) from their 32 bytes and back, as JWK: of the forms that node takes, the one that
// needs no decoder of OpenSSL's, which a launch would wait for.

export type Curve = "Ed25519" | "X25519";

/** RFC 8410: what stands before the 32 secret bytes in PKCS #8. */
const BEFORE_SECRET: Record<Curve, string> = {
  Ed25519: "302e020100300506032b657004220420",
  X25519: "302e020100300506032b656e04220420",
};

/** Whether this node compares a JWK's public part, which follows from the secret one and is not known here. */
let comparesPublicPart = false;

export function okpPrivateKey(crv: Curve, secret: Uint8Array): KeyObject {
  if (comparesPublicPart) return fromPkcs8(crv, secret);
  try {
    // Of `x` node before 26 asks only that it is a text.
    const key = { kty: "OKP", crv, d: Buffer.from(secret).toString("base64url"), x: "" };
    return createPrivateKey({ key, format: "jwk" });
  } catch (error) {
    if (systemCode(error) !== "ERR_CRYPTO_INVALID_JWK") throw error;
    comparesPublicPart = true;
    return fromPkcs8(crv, secret);
  }
}

function fromPkcs8(crv: Curve, secret: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(BEFORE_SECRET[crv], "hex"), secret]);
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } finally {
    key.fill(0);
  }
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

import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, verify } from "node:crypto";
import type { Identity } from "./identity.ts";

/** An Ed25519 public key: its 32 bytes in base64 with padding (44 characters). */
export type VerifyKey = string & { readonly __brand: "VerifyKey" };

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const DERIVATION_INFO = "vault-run/v1/sign";
// DER headers of a PKCS #8 private and an SPKI public Ed25519 key (RFC 8410): the raw key follows.
const PKCS8_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEADER = Buffer.from("302a300506032b6570032100", "hex");

/** Signs with the Ed25519 key that belongs to an age identity. */
export class SigningKey {
  readonly verifyKey: VerifyKey;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    const spki = createPublicKey(key).export({ type: "spki", format: "der" });
    this.verifyKey = spki.subarray(SPKI_HEADER.length).toString("base64") as VerifyKey;
  }

  /** HKDF-SHA256 over the identity's 32 secret bytes, no salt, info `vault-run/v1/sign` (docs/FORMAT.md). */
  static derive(identity: Identity): SigningKey {
    const seed = Buffer.from(hkdfSync("sha256", identity.secretBytes(), "", DERIVATION_INFO, KEY_BYTES));
    const der = Buffer.concat([PKCS8_HEADER, seed]);
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    seed.fill(0);
    der.fill(0);
    return new SigningKey(key);
  }

  /** The 64-byte signature in base64. */
  sign(message: Uint8Array): string {
    return sign(null, message, this.#key).toString("base64");
  }
}

/** Parses a verify key in its one accepted spelling. */
export function parseVerifyKey(text: string): VerifyKey | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === KEY_BYTES && bytes.toString("base64") === text ? (text as VerifyKey) : undefined;
}

export function isSignatureText(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === SIGNATURE_BYTES && bytes.toString("base64") === text;
}

const imported = new Map<VerifyKey, KeyObject>();

/** Whether `signature` (base64) is `key`'s over `message`. */
export function verifySignature(key: VerifyKey, message: Uint8Array, signature: string): boolean {
  let publicKey = imported.get(key);
  if (publicKey === undefined) {
    const der = Buffer.concat([SPKI_HEADER, Buffer.from(key, "base64")]);
    publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
    imported.set(key, publicKey);
  }
  return verify(null, message, publicKey, Buffer.from(signature, "base64"));
}

import { type KeyObject, sign, verify } from "node:crypto";
import { hkdf } from "./hkdf.ts";
import type { Identity } from "./identity.ts";
import { okpPrivateKey, okpPublicBytes, okpPublicKey } from "./okp-keys.ts";

/** An Ed25519 public key: its 32 bytes in base64 with padding (44 characters). */
export type VerifyKey = string & { readonly __brand: "VerifyKey" };

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const DERIVATION_INFO = "vault-run/v1/sign";

/** Signs with the Ed25519 key that belongs to an age identity. */
export class SigningKey {
  readonly verifyKey: VerifyKey;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.verifyKey = okpPublicBytes(key).toString("base64") as VerifyKey;
  }

  /** HKDF-SHA256 over the identity's 32 secret bytes, no salt, info `vault-run/v1/sign` (docs/FORMAT.md). */
  static derive(identity: Identity): SigningKey {
    const seed = hkdf(identity.secretBytes(), "", DERIVATION_INFO);
    const key = okpPrivateKey("Ed25519", seed);
    seed.fill(0);
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

/** Whether `signature` (base64) is `key`'s over `message`. */
export function verifySignature(key: VerifyKey, message: Uint8Array, signature: string): boolean {
  return verify(null, message, publicKeyOf(key), Buffer.from(signature, "base64"));
}

const imported = new Map<VerifyKey, KeyObject>();

/** The key as node verifies with it, made once. */
export function publicKeyOf(key: VerifyKey): KeyObject {
  let publicKey = imported.get(key);
  if (publicKey === undefined) {
    publicKey = okpPublicKey("Ed25519", Buffer.from(key, "base64"));
    imported.set(key, publicKey);
  }
  return publicKey;
}

import { hash } from "node:crypto";
import { hmac } from "./hkdf.ts";

// The key under which an mlkem768x25519 stanza wraps a file key, for who opens it and who writes it: the shared secret of
// the hybrid KEM (draft-connolly-cfrg-xwing-kem), then HPKE's key schedule (RFC 9180, section 5.1) in mode base.

export const HYBRID_STANZA = "mlkem768x25519";
export const MLKEM_CIPHERTEXT_BYTES = 1088;

const INFO = Buffer.from("age-encryption.org/mlkem768x25519");
const KEM_LABEL = Buffer.from("\\.//^\\");
// KEM MLKEM768-X25519, KDF HKDF-SHA256, AEAD ChaCha20-Poly1305.
const SUITE = Buffer.from("HPKE\x64\x7a\x00\x01\x00\x03", "latin1");
const MODE_BASE = Buffer.of(0);

/** What both sides have. All but the secrets is public. */
export interface HybridExchange {
  /** The secrets of the two exchanges, overwritten here. */
  readonly fromMlKem: Buffer;
  readonly fromX25519: Buffer;
  /** The X25519 share in the stanza, and the recipient's X25519 public key. */
  readonly share: Buffer;
  readonly recipient: Buffer;
}

export function hybridWrapKey({ fromMlKem, fromX25519, share, recipient }: HybridExchange): {
  key: Buffer;
  nonce: Buffer;
} {
  const parts = Buffer.concat([fromMlKem, fromX25519, share, recipient, KEM_LABEL]);
  const secret = extract(hash("sha3-256", parts, "buffer"), "secret", "");
  for (const part of [parts, fromMlKem, fromX25519]) part.fill(0);
  context ??= Buffer.concat([MODE_BASE, extract("", "psk_id_hash", ""), extract("", "info_hash", INFO)]);
  return { key: expand(secret, "key", context, 32), nonce: expand(secret, "base_nonce", context, 12) };
}

/** The same of every key schedule. */
let context: Buffer | undefined;

function extract(salt: Buffer | string, label: string, input: Buffer | string): Buffer {
  return hmac(salt, "HPKE-v1", SUITE, label, input);
}

function expand(secret: Buffer, label: string, info: Buffer, bytes: number): Buffer {
  const block = hmac(secret, Buffer.of(0, bytes), "HPKE-v1", SUITE, label, info, Buffer.of(1));
  return block.subarray(0, bytes);
}

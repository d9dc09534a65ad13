import { createHmac } from "node:crypto";

/**
 * HKDF-SHA256 (RFC 5869) of 32 bytes, which are one block. Of HMAC, which is needed anyway: the first call of node's own
 * function takes a launch half a millisecond.
 */
export function hkdf(input: Uint8Array, salt: Uint8Array | string, info: string): Buffer {
  return hmac(hmac(salt, input), info, Buffer.of(1));
}

/** HMAC-SHA256 over the parts, one behind the other. */
export function hmac(key: Uint8Array | string, ...parts: (Uint8Array | string)[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

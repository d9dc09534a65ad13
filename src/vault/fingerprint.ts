import { hash } from "node:crypto";
import type { VerifyKey } from "../age/signing-key.ts";

/** Names a key: the first 128 bits of SHA-256 over the verify key's 32 bytes, in hex. */
export function keyFingerprint(key: VerifyKey): string {
  return digest(Buffer.from(key, "base64")).slice(0, 32);
}

/** SHA-256 in hex, of a text's UTF-8. */
export function digest(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}

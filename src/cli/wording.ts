import type { VerifyKey } from "../age/signing-key.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";

/** `1 secret`, `2 secrets`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The first half of a key's fingerprint, as listings and questions show it. */
export function shortFingerprint(key: VerifyKey): string {
  return keyFingerprint(key).slice(0, 16);
}

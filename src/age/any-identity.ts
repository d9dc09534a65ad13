import { decodeBech32 } from "./bech32.ts";

const CHECKSUM_CHARACTERS = 6;
const IDENTITY = /^(age-secret-key-(?:pq-)?|age-plugin-[a-z0-9+._-]*?-?)1[02-9ac-hj-np-z]+$/;

/** Whether a text is an age identity whose checksum holds: a native one of either suite, or one of a plugin. */
export function isAnyIdentity(text: string): boolean {
  // Bech32 is of one case; age writes upper case.
  if (text !== text.toUpperCase() && text !== text.toLowerCase()) return false;
  const lower = text.toLowerCase();
  const prefix = IDENTITY.exec(lower)?.[1];
  if (prefix === undefined) return false;
  const characters = lower.length - prefix.length - 1 - CHECKSUM_CHARACTERS;
  return decodeBech32(lower, prefix, Math.floor((characters * 5) / 8)) !== undefined;
}

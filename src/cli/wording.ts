import type { EverOwner } from "../admin/owners-ever.ts";
import type { VerifyKey } from "../age/signing-key.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import type { GroupName } from "../vault/names.ts";
import type { Timestamp } from "../vault/time.ts";

const MOST_NAMED = 6;
const HOUR_MS = 3_600_000;

/** `1 secret`, `2 secrets`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Groups in a question: by name as long as it stays readable. */
export function named(groups: readonly GroupName[]): string {
  if (groups.length === 0) return "no group";
  return groups.length > MOST_NAMED ? counted(groups.length, "group") : groups.join(", ");
}

/** The first half of a key's fingerprint, as listings and questions show it. */
export function shortFingerprint(key: VerifyKey): string {
  return keyFingerprint(key).slice(0, 16);
}

/** A time as tables show it, in UTC: `2026-11-20 09:30`. */
export function minuteOf(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}

/** The same where seconds tell two apart. */
export function secondOf(time: string): string {
  return time.slice(0, 19).replace("T", " ");
}

/** How far ahead a time lies: `in 3 days`, `in 1 hour`, `within the hour`. */
export function spanTo(time: Timestamp, nowMs: number): string {
  const hours = Math.floor((Date.parse(time) - nowMs) / HOUR_MS);
  if (hours < 1) return "within the hour";
  return `in ${hours < 48 ? counted(hours, "hour") : counted(Math.floor(hours / 24), "day")}`;
}

/** Who signed something that stands in history. A key alone tells former owners apart: names are given anew. */
export function ownerName({ key, name, isCurrent }: EverOwner): string {
  if (isCurrent && name !== undefined) return name;
  return `${name ?? "someone"}, a former owner (key ${shortFingerprint(key)})`;
}

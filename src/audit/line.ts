import * as z from "zod/mini";
import { isSignatureText, type VerifyKey } from "../age/signing-key.ts";
import { verifyPooled } from "../age/verify-pooled.ts";
import { canonicalText } from "../vault/canonical.ts";
import { findExcess } from "../vault/record.ts";
import { isTimestamp } from "../vault/time.ts";
import { type AuditLine, signedAuditBytes } from "./event.ts";

const text = z.string();
const auditLine = z.looseObject({
  v: z.literal(1),
  id: text,
  time: z.string().check(z.refine(isTimestamp)),
  vault: text,
  action: text,
  key: text,
  host: text,
  uid: z.number(),
  sig: text,
  commit: z.optional(text),
  prev: z.optional(text),
  agent: z.optional(text),
  owner: z.optional(text),
  group: z.optional(text),
  reason: z.optional(text),
  command: z.optional(text),
  tool: z.optional(text),
  client: z.optional(z.looseObject({ name: text, version: text })),
  note: z.optional(text),
  secrets: z.optional(z.array(z.looseObject({ group: text, name: text, valueId: text }))),
  leaks: z.optional(
    z.array(z.looseObject({ secret: text, stream: text, encoding: text, count: z.number() })),
  ),
});

/** No field of ours is nested as deep. What is nested deeper than the stack could not be written out again. */
const MAX_DEPTH = 32;

const MAX_VALUES = 200_000;
const SHORT_LINE = 16 * 1024;

/** The line that a text is; undefined where it is none. */
export function parseLine(found: string): AuditLine | undefined {
  // Anyone who can push may fill a log: what cannot be a line costs no exception, and a long one no tree.
  if (!found.startsWith("{") || !found.endsWith("}")) return undefined;
  if (found.length > SHORT_LINE && findExcess(Buffer.from(found), MAX_DEPTH, MAX_VALUES) !== undefined)
    return undefined;
  try {
    const line: unknown = JSON.parse(found);
    return auditLine.safeParse(line).success && isWithin(line, MAX_DEPTH) ? (line as AuditLine) : undefined;
  } catch {
    return undefined;
  }
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithin(inner, depth - 1));
}

/** A line of which it is known that it is one. */
export function reparseLine(found: string): AuditLine {
  return JSON.parse(found) as AuditLine;
}

/** Whether the line stands there in its one spelling, its signature too, and the key's signature holds over it. */
export async function isSignedBy(key: VerifyKey, line: AuditLine, found: string): Promise<boolean> {
  if (!isSignatureText(line.sig) || canonicalForm(line) !== found) return false;
  const { sig, ...unsigned } = line;
  return verifyPooled(key, signedAuditBytes(unsigned), sig);
}

/** Undefined where there is none: half a surrogate pair, which no honest writer makes. */
function canonicalForm(line: AuditLine): string | undefined {
  try {
    return canonicalText(line);
  } catch {
    return undefined;
  }
}

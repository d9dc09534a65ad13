import * as z from "zod/mini";
import type { Recipient } from "../age/identity.ts";
import { parseRecipient } from "../age/identity.ts";
import { isSignatureText, parseVerifyKey, type VerifyKey } from "../age/signing-key.ts";
import {
  type AgentName,
  GROUP_NAME,
  type GroupName,
  SECRET_NAME,
  type SecretName,
  VAULT_ID,
  type VaultId,
} from "./names.ts";
import { isTimestamp, type Timestamp } from "./time.ts";

// The records of format 1 (docs/FORMAT.md, section 3). Every object is strict: an unknown field is an error, so that
// nothing unsigned-by-intent can ride along and a later format cannot be half understood.

export const FORMAT = 1;
export const MAX_DESCRIPTION_BYTES = 1024;
/** Both bound the signatures that are checked before anything in vault.json is trusted. */
export const MAX_OWNERS = 64;
export const MAX_SUCCESSION_LINKS = 256;

const text = <T extends string>(accepts: (text: string) => boolean, what: string) =>
  z.custom<T>((value) => typeof value === "string" && accepts(value), what);

const vaultId = text<VaultId>((s) => VAULT_ID.test(s), "a vault id");
const agentName = text<AgentName>((s) => GROUP_NAME.test(s), "an agent's name");
const groupName = text<GroupName>((s) => GROUP_NAME.test(s), "a group's name");
const secretName = text<SecretName>((s) => SECRET_NAME.test(s), "a secret's name");
const ownerName = text<string>((s) => GROUP_NAME.test(s), "an owner's name");
const variableName = text<string>((s) => SECRET_NAME.test(s), "a variable's name");
const valueId = text<string>((s) => /^[0-9a-f]{32}$/.test(s), "a value id");
const fingerprint = text<string>((s) => /^[0-9a-f]{32}$/.test(s), "a key fingerprint");
const contentFingerprint = text<string>((s) => /^[0-9a-f]{64}$/.test(s), "a finding's fingerprint");
const recipient = text<Recipient>((s) => parseRecipient(s) !== undefined, "a native age recipient");
const verifyKey = text<VerifyKey>((s) => parseVerifyKey(s) !== undefined, "a verify key");
const signatureText = text<string>(isSignatureText, "a signature");
const time = text<Timestamp>(isTimestamp, "a UTC time");
const base64 = text<string>(
  (s) => s.length > 0 && Buffer.from(s, "base64").toString("base64") === s,
  "base64",
);
const description = text<string>(isDescription, "one line of text");
const origin = text<string>((s) => /^https?:\/\/[a-z0-9.:[\]-]{1,255}$/.test(s), "a web origin");
const count = z.custom<number>(
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  "a positive whole number",
);

/** One line of at most 1,024 bytes of well-formed text without control characters: safe to print on a terminal. */
export function isDescription(s: string): boolean {
  return (
    s.length > 0 &&
    Buffer.byteLength(s) <= MAX_DESCRIPTION_BYTES &&
    s.isWellFormed() &&
    !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(s)
  );
}

const signature = z.strictObject({ key: verifyKey, alg: z.literal("ed25519"), sig: signatureText });
const common = {
  vault: vaultId,
  serial: count,
  signatures: z.array(signature).check(z.minLength(1), z.maxLength(MAX_OWNERS)),
};

const vaultRecord = z.strictObject({
  ...common,
  type: z.literal("vault"),
  format: z.literal(FORMAT),
  suite: z.enum(["pq", "classic"]),
  owners: z
    .array(z.strictObject({ name: ownerName, recipient, verifyKey }))
    .check(z.minLength(1), z.maxLength(MAX_OWNERS)),
  policy: z.strictObject({ audit: z.enum(["required", "best-effort"]) }),
  succession: z
    .array(z.strictObject({ from: verifyKey, to: verifyKey, at: time, sig: signatureText }))
    .check(z.maxLength(MAX_SUCCESSION_LINKS)),
  createdAt: time,
});

const agentRecord = z.strictObject({
  ...common,
  type: z.literal("agent"),
  name: agentName,
  recipient,
  verifyKey,
  createdAt: time,
  description: z.optional(description),
  escrow: base64,
});

const grantRecord = z.strictObject({
  ...common,
  type: z.literal("grant"),
  agent: agentName,
  group: groupName,
  epoch: count,
  grantedAt: time,
  expiresAt: z.optional(time),
  sealed: base64,
});

const groupRecord = z.strictObject({
  ...common,
  type: z.literal("group"),
  name: groupName,
  recipient,
  epoch: count,
  createdAt: time,
  description: z.optional(description),
  policy: z.strictObject({
    reveal: z.optional(z.boolean()),
    commands: z.optional(z.array(z.array(description).check(z.minLength(1)))),
    origins: z.optional(z.array(origin)),
  }),
  sealed: base64,
});

const exposure = z.strictObject({ agent: agentName, key: fingerprint, since: time });

const secretRecord = z.strictObject({
  ...common,
  type: z.literal("secret"),
  group: groupName,
  name: secretName,
  epoch: count,
  valueId,
  setAt: time,
  expiresAt: z.optional(time),
  description: z.optional(description),
  env: z.optional(variableName),
  deliver: z.enum(["env", "file"]),
  unsafeName: z.optional(z.literal(true)),
  exposedTo: z.array(exposure),
  sealed: base64,
});

const tombstone = { ...common, type: z.literal("tombstone"), removedAt: time };
const agentTombstone = z.strictObject({ ...tombstone, of: z.literal("agent"), name: agentName });
const grantTombstone = z.strictObject({
  ...tombstone,
  of: z.literal("grant"),
  agent: agentName,
  group: groupName,
});
const secretTombstone = z.strictObject({
  ...tombstone,
  of: z.literal("secret"),
  group: groupName,
  name: secretName,
});

const allowRecord = z.strictObject({
  ...common,
  type: z.literal("allow"),
  entries: z.array(z.strictObject({ fingerprint: contentFingerprint, reason: description, at: time })),
});

export type VaultRecord = z.infer<typeof vaultRecord>;
export type AgentRecord = z.infer<typeof agentRecord>;
export type GrantRecord = z.infer<typeof grantRecord>;
export type GroupRecord = z.infer<typeof groupRecord>;
export type SecretRecord = z.infer<typeof secretRecord>;
export type Exposure = z.infer<typeof exposure>;
export type AgentTombstone = z.infer<typeof agentTombstone>;
export type GrantTombstone = z.infer<typeof grantTombstone>;
export type SecretTombstone = z.infer<typeof secretTombstone>;
export type AllowRecord = z.infer<typeof allowRecord>;

export type SignedRecord =
  | VaultRecord
  | AgentRecord
  | GrantRecord
  | GroupRecord
  | SecretRecord
  | AgentTombstone
  | GrantTombstone
  | SecretTombstone
  | AllowRecord;

/** A record without its signatures: what is signed. */
export type Unsigned<R extends SignedRecord> = R extends SignedRecord ? Omit<R, "signatures"> : never;

const byType: Record<string, z.ZodMiniType<SignedRecord>> = {
  vault: vaultRecord,
  agent: agentRecord,
  grant: grantRecord,
  group: groupRecord,
  secret: secretRecord,
  allow: allowRecord,
};
const byTombstone: Record<string, z.ZodMiniType<SignedRecord>> = {
  agent: agentTombstone,
  grant: grantTombstone,
  secret: secretTombstone,
};

/** What is wrong with a value that should be a record: the field, and what was expected of it. Never the value. */
export class SchemaMismatch extends Error {
  override readonly name = "SchemaMismatch";
}

/** Checks a parsed JSON value against the schema that its `type` (and a tombstone's `of`) names. */
export function checkRecord(value: unknown): SignedRecord {
  if (typeof value !== "object" || value === null) throw new SchemaMismatch("not an object");
  const { type, of } = value as { type?: unknown; of?: unknown };
  const table = type === "tombstone" ? byTombstone : byType;
  const key = type === "tombstone" ? of : type;
  const schema = typeof key === "string" && Object.hasOwn(table, key) ? table[key] : undefined;
  if (schema === undefined) throw new SchemaMismatch("not a type of record");
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join(".") ?? "";
  throw new SchemaMismatch(
    issue?.code === "unrecognized_keys"
      ? "a field that does not belong there"
      : `field ${field === "" ? "(record)" : field} is missing or not as expected`,
  );
}

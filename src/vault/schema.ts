import type { Recipient } from "../age/identity.ts";
import { parseRecipient } from "../age/identity.ts";
import { isSignatureText, parseVerifyKey, type VerifyKey } from "../age/signing-key.ts";
import {
  type AgentName,
  GROUP_NAME,
  type GroupName,
  hasControls,
  SECRET_NAME,
  type SecretName,
  VAULT_ID,
  type VaultId,
} from "./names.ts";
import { either, list, object, oneOf, optional, type Shape, type Shaped, text, that } from "./shape.ts";
import { isTimestamp, type Timestamp } from "./time.ts";

// The records of format 1 (docs/FORMAT.md, section 3). Every object is strict: an unknown field is an error, so that
// nothing unsigned-by-intent can ride along and a later format cannot be half understood.

export const FORMAT = 1;
/** To be raised with every change of what passes for a record: what was verified before is then verified again. */
export const SCHEMA_EDITION = 2;
export const MAX_DESCRIPTION_BYTES = 1024;
export const ORIGIN = /^https?:\/\/[a-z0-9.:[\]-]{1,255}$/;
/** Both bound the signatures that are checked before anything in vault.json is trusted. */
export const MAX_OWNERS = 64;
export const MAX_SUCCESSION_LINKS = 256;

const vaultId = text<VaultId>((s) => VAULT_ID.test(s));
const agentName = text<AgentName>((s) => GROUP_NAME.test(s));
const groupName = text<GroupName>((s) => GROUP_NAME.test(s));
const secretName = text<SecretName>((s) => SECRET_NAME.test(s));
const ownerName = text<string>((s) => GROUP_NAME.test(s));
const variableName = text<string>((s) => SECRET_NAME.test(s));
const valueId = text<string>((s) => /^[0-9a-f]{32}$/.test(s));
const fingerprint = text<string>((s) => /^[0-9a-f]{32}$/.test(s));
const contentFingerprint = text<string>((s) => /^[0-9a-f]{64}$/.test(s));
const recipient = text<Recipient>((s) => parseRecipient(s) !== undefined);
const verifyKey = text<VerifyKey>((s) => parseVerifyKey(s) !== undefined);
const signatureText = text<string>(isSignatureText);
const time = text<Timestamp>(isTimestamp);
const base64 = text<string>((s) => s.length > 0 && Buffer.from(s, "base64").toString("base64") === s);
const description = text<string>(isDescription);
const origin = text<string>((s) => ORIGIN.test(s));
const count = that<number>((value) => Number.isSafeInteger(value) && (value as number) >= 1);
const flag = oneOf(true, false);

/** One line of at most 1,024 bytes of well-formed text without control characters: safe to print on a terminal. */
export function isDescription(s: string): boolean {
  return s.length > 0 && Buffer.byteLength(s) <= MAX_DESCRIPTION_BYTES && s.isWellFormed() && !hasControls(s);
}

const signature = object({ key: verifyKey, alg: oneOf("ed25519"), sig: signatureText });
const common = {
  vault: vaultId,
  serial: count,
  signatures: list(signature, 1, MAX_OWNERS),
};

const vaultRecord = object({
  ...common,
  type: oneOf("vault"),
  format: oneOf(FORMAT),
  suite: oneOf("pq", "classic"),
  owners: list(object({ name: ownerName, recipient, verifyKey }), 1, MAX_OWNERS),
  policy: object({ audit: oneOf("required", "best-effort") }),
  succession: list(
    object({ from: verifyKey, to: verifyKey, at: time, sig: signatureText }),
    0,
    MAX_SUCCESSION_LINKS,
  ),
  createdAt: time,
});

/** An owner who is one no more, by the key they had. */
const ownerExposure = object({ owner: ownerName, key: fingerprint, since: time });

const agentRecord = object({
  ...common,
  type: oneOf("agent"),
  name: agentName,
  recipient,
  verifyKey,
  createdAt: time,
  description: optional(description),
  exposedTo: optional(list(ownerExposure, 1)),
  escrow: base64,
});

const grantRecord = object({
  ...common,
  type: oneOf("grant"),
  agent: agentName,
  group: groupName,
  epoch: count,
  grantedAt: time,
  expiresAt: optional(time),
  sealed: base64,
});

const groupRecord = object({
  ...common,
  type: oneOf("group"),
  name: groupName,
  recipient,
  epoch: count,
  createdAt: time,
  description: optional(description),
  policy: object({
    reveal: optional(flag),
    commands: optional(list(list(description, 1), 0)),
    origins: optional(list(origin, 0)),
  }),
  sealed: base64,
});

const agentExposure = object({ agent: agentName, key: fingerprint, since: time });

const secretRecord = object({
  ...common,
  type: oneOf("secret"),
  group: groupName,
  name: secretName,
  epoch: count,
  valueId,
  setAt: time,
  expiresAt: optional(time),
  description: optional(description),
  env: optional(variableName),
  deliver: oneOf("env", "file"),
  unsafeName: optional(oneOf(true)),
  exposedTo: list(either(agentExposure, ownerExposure), 0),
  sealed: base64,
});

const tombstone = { ...common, type: oneOf("tombstone"), removedAt: time };
const agentTombstone = object({ ...tombstone, of: oneOf("agent"), name: agentName });
const grantTombstone = object({
  ...tombstone,
  of: oneOf("grant"),
  agent: agentName,
  group: groupName,
});
const secretTombstone = object({
  ...tombstone,
  of: oneOf("secret"),
  group: groupName,
  name: secretName,
});

const allowRecord = object({
  ...common,
  type: oneOf("allow"),
  entries: list(object({ fingerprint: contentFingerprint, reason: description, at: time }), 0),
});

export type VaultRecord = Shaped<typeof vaultRecord>;
export type AgentRecord = Shaped<typeof agentRecord>;
export type GrantRecord = Shaped<typeof grantRecord>;
export type GroupRecord = Shaped<typeof groupRecord>;
export type SecretRecord = Shaped<typeof secretRecord>;
export type Owner = VaultRecord["owners"][number];
export type AgentExposure = Shaped<typeof agentExposure>;
export type OwnerExposure = Shaped<typeof ownerExposure>;
/** Who may no longer read something but could have. */
export type Exposure = AgentExposure | OwnerExposure;
export type AgentTombstone = Shaped<typeof agentTombstone>;
export type GrantTombstone = Shaped<typeof grantTombstone>;
export type SecretTombstone = Shaped<typeof secretTombstone>;
export type AllowRecord = Shaped<typeof allowRecord>;

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

const byType: Record<string, Shape<SignedRecord>> = {
  vault: vaultRecord,
  agent: agentRecord,
  grant: grantRecord,
  group: groupRecord,
  secret: secretRecord,
  allow: allowRecord,
};
const byTombstone: Record<string, Shape<SignedRecord>> = {
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
  const mismatch = schema.findMismatch(value);
  if (mismatch === undefined) return value as SignedRecord;
  throw new SchemaMismatch(
    mismatch.why === "unknown-field"
      ? "a field that does not belong there"
      : `field ${mismatch.field === "" ? "(record)" : mismatch.field} is missing or not as expected`,
  );
}

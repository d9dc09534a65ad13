import { isUtf8 } from "node:buffer";
import { Identity } from "../age/identity.ts";
import { InternalError, VaultError } from "../vault-error.ts";
import { canonicalText } from "./canonical.ts";
import { paddedLength } from "./padding.ts";
import { findExcess } from "./record.ts";
import type { AgentRecord, GrantRecord, GroupRecord, SecretRecord } from "./schema.ts";

// What stands inside a ciphertext: JSON in its RFC 8785 form, padded with spaces to a bucket (padding.ts). age binds no
// context, so every payload repeats its record's type and names, the vault, and where there are such the epoch and the
// value id. A ciphertext that was moved into another record, even by someone who can sign, does not open there.

export const MAX_VALUE_BYTES = 1024 * 1024;

type Context = Readonly<Record<string, string | number>>;

export const agentContext = (record: Pick<AgentRecord, "vault" | "name">): Context => ({
  type: "agent",
  vault: record.vault,
  name: record.name,
});

export const grantContext = (record: Pick<GrantRecord, "vault" | "agent" | "group" | "epoch">): Context => ({
  type: "grant",
  vault: record.vault,
  agent: record.agent,
  group: record.group,
  epoch: record.epoch,
});

export const groupContext = (record: Pick<GroupRecord, "vault" | "name" | "epoch">): Context => ({
  type: "group",
  vault: record.vault,
  name: record.name,
  epoch: record.epoch,
});

export const secretContext = (
  record: Pick<SecretRecord, "vault" | "group" | "name" | "epoch" | "valueId">,
): Context => ({
  type: "secret",
  vault: record.vault,
  group: record.group,
  name: record.name,
  epoch: record.epoch,
  valueId: record.valueId,
});

export function encodeIdentity(context: Context, identity: Identity): Buffer {
  return encode(context, { identity: identity.reveal() });
}

export function encodeKeyFile(context: Context, keyFile: string): Buffer {
  return encode(context, { keyFile });
}

/** A value is text where it is UTF-8, base64 where it is not: byte-exact either way. */
export function encodeValue(context: Context, value: Buffer): Buffer {
  const asText = isUtf8(value);
  return encode(context, {
    encoding: asText ? "utf8" : "base64",
    value: value.toString(asText ? "utf8" : "base64"),
  });
}

export function decodeIdentity(where: string, context: Context, plaintext: Buffer): Identity {
  const { identity } = decode(where, context, plaintext, ["identity"]);
  const parsed = Identity.parse(identity ?? "");
  if (parsed === undefined) throw contextError(where);
  return parsed;
}

export function decodeValue(where: string, context: Context, plaintext: Buffer): Buffer {
  const { encoding, value } = decode(where, context, plaintext, ["encoding", "value"]);
  if (value === undefined || (encoding !== "utf8" && encoding !== "base64")) throw contextError(where);
  const bytes = alone(Buffer.from(value, encoding));
  if (encoding === "base64" && bytes.toString("base64") !== value) throw contextError(where);
  return bytes;
}

/** Short buffers share memory, all of which goes along where one is cloned or sent to a worker. */
function alone(bytes: Buffer): Buffer {
  const own = Buffer.from(new ArrayBuffer(bytes.length));
  bytes.copy(own);
  bytes.fill(0);
  return own;
}

export function decodeKeyFile(where: string, context: Context, plaintext: Buffer): string {
  const { keyFile } = decode(where, context, plaintext, ["keyFile"]);
  if (keyFile === undefined) throw contextError(where);
  return keyFile;
}

function encode(context: Context, content: Readonly<Record<string, string>>): Buffer {
  const json = Buffer.from(canonicalText({ ...context, ...content }));
  const padded = Buffer.alloc(paddedLength(json.length), " ");
  json.copy(padded);
  json.fill(0);
  return padded;
}

/** The string fields named in `fields`; everything else must be exactly `context`, in the one spelling. */
function decode(
  where: string,
  context: Context,
  plaintext: Buffer,
  fields: readonly string[],
): Record<string, string | undefined> {
  if (!isUtf8(plaintext)) throw contextError(where);
  const end = plaintext.lastIndexOf("}") + 1;
  if (!plaintext.subarray(end).equals(Buffer.alloc(plaintext.length - end, " "))) throw contextError(where);
  // More fields than there are to be, or nested ones, would only be built to be refused: for 10 MB of them that takes seconds.
  const commas = Object.keys(context).length + fields.length - 1;
  if (findExcess(plaintext.subarray(0, end), 1, commas) !== undefined) throw contextError(where);
  const json = plaintext.toString("utf8", 0, end);
  const value = parseObject(json);
  if (value === undefined) throw contextError(where);
  const content = Object.fromEntries(fields.map((field) => [field, stringField(value, field)]));
  // One comparison checks the context, the spelling, and that nothing is missing, doubled or added.
  if (!isSpelled({ ...context, ...content }, json)) throw contextError(where);
  return content;
}

/** Half a surrogate pair, which JSON can spell, has no canonical form. */
function isSpelled(value: object, json: string): boolean {
  try {
    return canonicalText(value) === json;
  } catch {
    return false;
  }
}

function parseObject(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function stringField(value: object, field: string): string | undefined {
  const content: unknown = Object.hasOwn(value, field) ? Reflect.get(value, field) : undefined;
  return typeof content === "string" ? content : undefined;
}

export function contextError(where: string): VaultError {
  return new VaultError(
    "sealed-context",
    `what is sealed here was made for another place: .vault/${where}`,
    `restore it from a commit that was good: git log -- .vault/${where}`,
  );
}

/** For the reader of a record: its `sealed` or `escrow` field as an age file. */
export function sealedBytes(base64: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0) throw new InternalError("an unchecked record was opened");
  return bytes;
}

import { isUtf8 } from "node:buffer";
import type { SigningKey, VerifyKey } from "../age/signing-key.ts";
import { verifySignature } from "../age/signing-key.ts";
import { VaultError } from "../vault-error.ts";
import { canonicalText, inOrder } from "./canonical.ts";
import { digest } from "./fingerprint.ts";
import {
  ALLOW_PATH,
  agentPath,
  grantPath,
  groupPath,
  type RecordPath,
  secretPath,
  VAULT_PATH,
} from "./paths.ts";
import { checkRecord, FORMAT, SchemaMismatch, type SignedRecord, type Unsigned } from "./schema.ts";

// A record's file has exactly one spelling: UTF-8, keys in JCS order, two spaces of indentation, one final newline.
// Reading writes the parsed record again and compares bytes, so the bytes that were parsed are the bytes that were
// verified, and a duplicate key, an unknown field, a second spelling of a number or a changed space is an error here
// rather than a difference between two readers later.

export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
/** Of so few bytes no parser makes much, whatever is in them. */
export const SMALL_RECORD_BYTES = 16 * 1024;
const MAX_DEPTH = 6;
const MAX_TOKENS = 200_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SIGNED_PREFIX = "vault-run/record/v1\0";

/** The bytes an owner signs: the prefix and the RFC 8785 form of the record without its signatures. */
export function signedBytes(record: Unsigned<SignedRecord>): Buffer {
  const { signatures: _, ...unsigned } = record as SignedRecord;
  return Buffer.from(SIGNED_PREFIX + canonicalText(unsigned));
}

export function signRecord<U extends Unsigned<SignedRecord>>(
  record: U,
  key: SigningKey,
): U & Pick<SignedRecord, "signatures"> {
  const sig = key.sign(signedBytes(record));
  return { ...record, signatures: [{ key: key.verifyKey, alg: "ed25519", sig }] };
}

/**
 * Of a record and its signed bytes: the signer among `trusted`, or undefined when none signed, one of their signatures does not hold, or there is any
 * signature besides: `others` names keys that may have signed too without being trusted. No honest writer leaves more.
 */
export function findSigner(
  record: SignedRecord,
  message: Buffer,
  trusted: ReadonlySet<VerifyKey>,
  others: ReadonlySet<VerifyKey> = NONE,
): VerifyKey | undefined {
  const keys = record.signatures.map((signature) => signature.key);
  if (new Set(keys).size !== keys.length) return undefined;
  if (!keys.every((key) => trusted.has(key) || others.has(key))) return undefined;
  const byTrusted = record.signatures.filter((signature) => trusted.has(signature.key));
  const holds = byTrusted.every((signature) => verifySignature(signature.key, message, signature.sig));
  return holds ? byTrusted[0]?.key : undefined;
}

const NONE: ReadonlySet<VerifyKey> = new Set();

/** What a pin remembers of a record's signed bytes: SHA-256, in hex. Who signs them again changes nothing. */
export function recordDigest(message: Buffer): string {
  return digest(message);
}

/** A record in its one spelling. */
export function encodeRecord(record: SignedRecord): Buffer {
  return Buffer.from(spellingOf(record));
}

function spellingOf(record: SignedRecord): string {
  return `${JSON.stringify(inOrder(record), null, 2)}\n`;
}

/**
 * Parses and checks a record's file: size, depth, encoding, schema, spelling, and that it stands where its own names
 * say. Does not verify signatures.
 *
 * @throws {VaultError} `record-invalid` naming the file, or `format-newer` naming the version needed.
 */
export function decodeRecord(path: RecordPath, bytes: Buffer): SignedRecord {
  if (bytes.length > MAX_RECORD_BYTES) throw invalid(path, "larger than any record can be");
  if (!isUtf8(bytes)) throw invalid(path, "not UTF-8 text");
  const excess = bytes.length > SMALL_RECORD_BYTES ? findExcess(bytes, MAX_DEPTH, MAX_TOKENS) : undefined;
  if (excess !== undefined) throw invalid(path, excess);
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw looksMerged(bytes) ? unmerged(path) : invalid(path, "not JSON");
  }
  refuseNewerFormat(path, value);
  const record = checked(path, value);
  if (spellingOf(record) !== text) {
    throw invalid(path, "not in the one spelling that records have (reformatted, or a key stands twice)");
  }
  if (!standsAt(record, path)) throw invalid(path, "it says it belongs elsewhere");
  return record;
}

function checked(path: RecordPath, value: unknown): SignedRecord {
  try {
    return checkRecord(value);
  } catch (error) {
    if (error instanceof SchemaMismatch) throw invalid(path, error.message);
    throw error;
  }
}

function invalid(path: RecordPath, why: string): VaultError {
  return new VaultError(
    "record-invalid",
    `not a valid record, ${why}: .vault/${path}`,
    `restore it from a commit that was good: git log -- .vault/${path}`,
  );
}

function unmerged(path: RecordPath): VaultError {
  return new VaultError(
    "record-invalid",
    `not a valid record, it holds git's conflict markers: .vault/${path}`,
    "as an owner, finish the merge: vault-run resolve",
  );
}

function refuseNewerFormat(path: RecordPath, value: unknown): void {
  if (path !== "vault.json" || typeof value !== "object" || value === null || !("format" in value)) return;
  if (!Number.isSafeInteger(value.format) || Number(value.format) <= FORMAT) return;
  throw new VaultError(
    "format-newer",
    `this vault has format ${value.format}, and this program reads up to format ${FORMAT}: .vault/${path}`,
    `install a vault-run that reads format ${value.format}: npm install -g vault-run@latest`,
  );
}

/** Whether the names inside a record are those of its path: a record copied elsewhere is refused even where signed. */
function standsAt(record: SignedRecord, path: RecordPath): boolean {
  return pathOf(record) === path;
}

function pathOf(record: SignedRecord): RecordPath {
  switch (record.type) {
    case "vault":
      return VAULT_PATH;
    case "allow":
      return ALLOW_PATH;
    case "agent":
      return agentPath(record.name);
    case "grant":
      return grantPath(record.agent, record.group);
    case "group":
      return groupPath(record.name);
    case "secret":
      return secretPath(record.group, record.name);
    case "tombstone":
      return pathOfRemoved(record);
  }
}

function pathOfRemoved(tombstone: SignedRecord & { type: "tombstone" }): RecordPath {
  switch (tombstone.of) {
    case "agent":
      return agentPath(tombstone.name);
    case "grant":
      return grantPath(tombstone.agent, tombstone.group);
    case "secret":
      return secretPath(tombstone.group, tombstone.name);
  }
}

/** Bounds nesting and the number of values of JSON before a parser builds anything. Strings are passed over. */
export function findExcess(bytes: Buffer, maxDepth: number, maxTokens: number): string | undefined {
  let depth = 0;
  let tokens = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = endOfString(bytes, i);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > maxDepth) return "nested too deeply";
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    } else if (byte === 0x2c) {
      tokens++;
      if (tokens > maxTokens) return "too many values";
    }
  }
  return undefined;
}

/** Where the string that starts there has its closing quote. */
export function endOfString(bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(QUOTE, start + 1); end !== -1; end = bytes.indexOf(QUOTE, end + 1)) {
    let backslashes = 0;
    while (bytes[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return bytes.length;
}

function looksMerged(bytes: Buffer): boolean {
  return bytes.includes("<<<<<<< ") && bytes.includes(">>>>>>> ");
}

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type VerifyKey, verifySignature } from "../age/signing-key.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import { systemCode } from "../vault-error.ts";
import { type AuditLine, signedAuditBytes } from "./event.ts";

/** A line as found: whole and signed by a known key, or not and why. */
export type ReadLine =
  | { readonly status: "verified"; readonly line: AuditLine }
  /** `removed-agent`: the vault no longer holds the key of the agent that the line names. */
  | { readonly status: "unknown-key" | "removed-agent" | "bad-signature"; readonly line: AuditLine }
  | { readonly status: "torn"; readonly number: number };

export interface KnownReaders {
  /** The verify keys of the vault's owners and agents. */
  readonly keys: readonly VerifyKey[];
  readonly removedAgents: ReadonlySet<string>;
}

/** Reads a log line by line, oldest first. */
export async function* readAuditLog(
  path: string,
  { keys, removedAgents }: KnownReaders,
): AsyncGenerator<ReadLine> {
  const byFingerprint = new Map(keys.map((key) => [keyFingerprint(key), key]));
  let number = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      number++;
      if (text === "") continue;
      const line = parseLine(text);
      yield line === undefined
        ? { status: "torn", number }
        : { status: statusOf(line, byFingerprint, removedAgents), line };
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

function parseLine(text: string): AuditLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isAuditLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isAuditLine(value: unknown): value is AuditLine {
  if (typeof value !== "object" || value === null) return false;
  const line = value as Record<string, unknown>;
  const texts = ["time", "vault", "action", "key", "host", "sig"].every(
    (field) => typeof line[field] === "string",
  );
  return texts && line.v === 1;
}

function statusOf(
  line: AuditLine,
  keys: ReadonlyMap<string, VerifyKey>,
  removedAgents: ReadonlySet<string>,
): Exclude<ReadLine["status"], "torn"> {
  const key = keys.get(line.key);
  if (key === undefined) return removedAgents.has(line.agent ?? "") ? "removed-agent" : "unknown-key";
  const { sig, ...unsigned } = line;
  return verifySignature(key, signedAuditBytes(unsigned), sig) ? "verified" : "bad-signature";
}

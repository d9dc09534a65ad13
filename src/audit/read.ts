import { createReadStream } from "node:fs";
import { type VerifyKey, verifySignature } from "../age/signing-key.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import { canonicalText } from "../vault/record.ts";
import { diskError, systemCode } from "../vault-error.ts";
import { type AuditLine, signedAuditBytes } from "./event.ts";

const LINE_FEED = 0x0a;

/** A line as found: whole and signed by a known key, or not and why. */
export type ReadLine =
  | { readonly status: "verified"; readonly line: AuditLine }
  | { readonly status: "unknown-key" | "bad-signature"; readonly line: AuditLine }
  | { readonly status: "torn"; readonly number: number };

/**
 * Reads a log line by line, oldest first. `keys` are the verify keys of everyone who is or was an owner or agent of the
 * vault.
 */
export async function* readAuditLog(path: string, keys: readonly VerifyKey[]): AsyncGenerator<ReadLine> {
  const byFingerprint = new Map(keys.map((key) => [keyFingerprint(key), key]));
  let number = 0;
  for await (const text of linesOf(path)) {
    number++;
    if (text === "") continue;
    const line = parseLine(text);
    yield line === undefined
      ? { status: "torn", number }
      : { status: statusOf(line, text, byFingerprint), line };
  }
}

/** A line feed ends a line and nothing else does: canonical JSON may hold U+2028, which node's readline splits at. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
        yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
        rest = [];
        start = end + 1;
      }
      rest.push(chunk.subarray(start));
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw diskError(error, "read the audit log", path);
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last.toString("utf8");
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
  text: string,
  keys: ReadonlyMap<string, VerifyKey>,
): Exclude<ReadLine["status"], "torn"> {
  const key = keys.get(line.key);
  if (key === undefined) return "unknown-key";
  const { sig, ...unsigned } = line;
  if (canonicalForm(line) !== text) return "bad-signature";
  return verifySignature(key, signedAuditBytes(unsigned), sig) ? "verified" : "bad-signature";
}

/** Undefined where there is none: half a surrogate pair, which no honest writer makes. */
function canonicalForm(line: AuditLine): string | undefined {
  try {
    return canonicalText(line);
  } catch {
    return undefined;
  }
}

import { createReadStream } from "node:fs";
import * as z from "zod/mini";
import { type VerifyKey, verifySignature } from "../age/signing-key.ts";
import { canonicalText } from "../vault/canonical.ts";
import { digest, keyFingerprint } from "../vault/fingerprint.ts";
import { isTimestamp } from "../vault/time.ts";
import { diskError, systemCode } from "../vault-error.ts";
import { type AuditLine, signedAuditBytes } from "./event.ts";

// Reads a log and says of each line what can be said: whether its signature holds, whether who signed it may say so, and
// whether the line that it followed is there. The end of a log cannot be vouched for from within: whoever cuts lines off
// there leaves a shorter log that holds.

const LINE_FEED = 0x0a;
/** Values were opened, by whoever signed the line. */
const READS = ["launch", "get", "redact", "sdk", "mcp"];
const AGENT_ACTIONS = new Set([...READS, "denied", "leak"]);

/** Someone who is or was an owner (no `agent`) or an agent of the vault. */
export interface Reader {
  readonly key: VerifyKey;
  readonly agent?: string;
}

export type LineStatus =
  | "verified"
  /** Signed by nobody this vault knows of. */
  | "unknown-key"
  | "bad-signature"
  /** The signature holds, but this key may not say this: an agent's in another's name, or of an owner's change. */
  | "wrong-signer"
  /** Stands in the log already: a copy. */
  | "repeated";

/** A line as found. `gap`: the line that this one was written behind is not in the log. */
export type ReadLine =
  | { readonly status: LineStatus; readonly gap: boolean; readonly line: AuditLine }
  | { readonly status: "torn"; readonly number: number };

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
  secrets: z.optional(z.array(z.looseObject({ group: text, name: text, valueId: text }))),
  leaks: z.optional(
    z.array(z.looseObject({ secret: text, stream: text, encoding: text, count: z.number() })),
  ),
});

/** Reads a log line by line, oldest first. */
export async function* readAuditLog(path: string, readers: readonly Reader[]): AsyncGenerator<ReadLine> {
  const byFingerprint = new Map(readers.map((reader) => [keyFingerprint(reader.key), reader]));
  const digests = new Set<string>();
  let number = 0;
  for await (const bytes of linesOf(path)) {
    number++;
    if (bytes.length === 0) continue;
    const found = bytes.toString("utf8");
    const line = parseLine(found);
    const isFirst = digests.size === 0;
    const own = digest(bytes);
    const isRepeated = digests.has(own);
    digests.add(own);
    if (line === undefined) {
      yield { status: "torn", number };
      continue;
    }
    const gap = line.prev === undefined ? !isFirst : !digests.has(line.prev);
    yield { status: isRepeated ? "repeated" : statusOf(line, found, byFingerprint), gap, line };
  }
}

/** That a value was opened, as a verified line says. */
export interface ValueRead {
  readonly at: string;
  readonly host: string;
  readonly action: string;
}

/** The values that verified lines say were opened, and when each key did so first. */
export class ValueReads {
  readonly #reads = new Map<string, ValueRead>();

  add(read: ReadLine): void {
    if (read.status !== "verified" || !READS.includes(read.line.action)) return;
    const { time: at, host, action, key, secrets = [] } = read.line;
    for (const { valueId } of secrets) {
      const known = this.find(key, valueId);
      if (known === undefined || at < known.at) this.#reads.set(`${key} ${valueId}`, { at, host, action });
    }
  }

  /** @param key a fingerprint. */
  find(key: string, valueId: string): ValueRead | undefined {
    return this.#reads.get(`${key} ${valueId}`);
  }
}

/** A line feed ends a line and nothing else does: canonical JSON may hold U+2028, which node's readline splits at. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
        yield Buffer.concat([...rest, chunk.subarray(start, end)]);
        rest = [];
        start = end + 1;
      }
      rest.push(chunk.subarray(start));
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw diskError(error, "read the audit log", path);
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last;
}

function parseLine(found: string): AuditLine | undefined {
  try {
    const result = auditLine.safeParse(JSON.parse(found));
    return result.success ? (result.data as unknown as AuditLine) : undefined;
  } catch {
    return undefined;
  }
}

function statusOf(line: AuditLine, found: string, readers: ReadonlyMap<string, Reader>): LineStatus {
  const reader = readers.get(line.key);
  if (reader === undefined) return "unknown-key";
  const { sig, ...unsigned } = line;
  if (canonicalForm(line) !== found) return "bad-signature";
  if (!verifySignature(reader.key, signedAuditBytes(unsigned), sig)) return "bad-signature";
  return maySay(reader, line) ? "verified" : "wrong-signer";
}

/** An agent speaks for itself, and not of an owner's changes; an owner does not launch in an agent's name. */
function maySay(reader: Reader, { action, agent }: AuditLine): boolean {
  if (reader.agent !== undefined) return agent === reader.agent && AGENT_ACTIONS.has(action);
  return !AGENT_ACTIONS.has(action) || agent === undefined;
}

/** Undefined where there is none: half a surrogate pair, which no honest writer makes. */
function canonicalForm(line: AuditLine): string | undefined {
  try {
    return canonicalText(line);
  } catch {
    return undefined;
  }
}

import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auditAnswers } from "../../src/admin/audit/answers.ts";
import type { LineFilter } from "../../src/admin/audit/filter.ts";
import { generateIdentity } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { type AuditEvent, formatAuditLine } from "../../src/audit/event.ts";
import type { ReadLine } from "../../src/audit/finding.ts";
import { LogReading } from "../../src/audit/log-reading.ts";
import { byFingerprint } from "../../src/audit/reader.ts";
import type { LogSource } from "../../src/audit/source.ts";
import { VerifiedBlocks } from "../../src/audit/verified-blocks.ts";
import { digest, keyFingerprint } from "../../src/vault/fingerprint.ts";
import { type AgentName, parseGroupName, parseSecretRef, type VaultId } from "../../src/vault/names.ts";
import type { Timestamp } from "../../src/vault/time.ts";
import { noneVerified } from "../fixtures/read-logs.ts";
import { tempFolder } from "../fixtures/temp.ts";

// Who remembers says the same as who does not, of whatever stands in the logs (A20).

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const owner = await generateIdentity("classic");
const keys = await Promise.all(
  [1, 2, 3].map(async () => SigningKey.derive(await generateIdentity("classic"))),
);
const AGENTS = ["crawler", "deployer", "stranger"];
/** Whoever signs with the third key is unknown. */
const readers = byFingerprint(keys.slice(0, 2).map((key, i) => ({ key: key.verifyKey, agent: AGENTS[i]! })));
const BEGUN = Date.parse("2026-11-01T22:00:00.000Z");

const FILTERS: readonly LineFilter[] = [
  {},
  { agent: "crawler" as AgentName },
  { secret: parseSecretRef("web/ONE") },
  { group: parseGroupName("api") },
  { actions: new Set(["leak", "denied"]) },
  { since: "2026-11-01T23:00:00.000Z" as Timestamp, until: "2026-11-02T00:30:00.000Z" as Timestamp },
];

const event = fc.oneof(
  fc
    .subarray(["web/ONE", "web/TWO", "api/ONE"])
    .chain((refs) => fc.constantFrom(refs, [...refs, ...refs]))
    .map((refs): AuditEvent => ({ action: "launch", secrets: refs.map(secretOf) })),
  fc.constantFrom<AuditEvent>(
    { action: "denied", reason: "no-grant" },
    { action: "leak", leaks: [{ secret: "web/ONE", stream: "stdout", encoding: "raw", count: 3 }] },
    { action: "set", group: "web" },
  ),
);
/** Long ones make blocks of few lines, short ones of many. */
const size = fc.constantFrom(0, 0, 10_000, 70_000, 140_000);
const who = fc.constantFrom(0, 0, 0, 1, 1, 2);
const written = fc.array(fc.tuple(event, who, size), { minLength: 2, maxLength: 25 });
const edit = fc.tuple(
  fc.constantFrom("nothing", "remove", "swap", "copy", "change", "cut", "empty", "torn", "other", "add"),
  fc.nat(),
  fc.nat(),
);

function secretOf(ref: string) {
  const [group = "", name = ""] = ref.split("/");
  return { group, name, valueId: createHash("md5").update(ref).digest("hex") };
}

function lineOf(
  said: AuditEvent,
  by: number,
  long: number,
  at: number,
  prev: string | undefined,
  of = vault,
) {
  const key = keys[by]!;
  const line = {
    ...said,
    v: 1,
    id: randomBytes(16).toString("hex"),
    time: new Date(at).toISOString(),
  } as const;
  const more = { vault: of, agent: AGENTS[by]!, host: "h", uid: 7, command: "x".repeat(long) };
  const behind = prev === undefined ? {} : { prev: digest(prev) };
  return formatAuditLine({ ...line, ...more, ...behind, key: keyFingerprint(key.verifyKey) }, key);
}

const timeAt = (place: number) => BEGUN + place * 600_000;

function linesOf(events: readonly (readonly [AuditEvent, number, number])[]): string[] {
  const lines: string[] = [];
  for (const [said, by, long] of events)
    lines.push(lineOf(said, by, long, timeAt(lines.length), lines.at(-1)));
  return lines;
}

function edited(lines: readonly string[], [what, one, two]: readonly [string, number, number]): string[] {
  const at = one % (lines.length + 1);
  const line = lines[at] ?? "";
  const flip = two % (line.length + 1);
  switch (what) {
    case "remove":
      return lines.toSpliced(at, 1);
    case "swap":
      return lines.toSpliced(at, 2, ...lines.slice(at, at + 2).reverse());
    case "copy":
      return lines.toSpliced(two % (lines.length + 1), 0, line);
    case "change":
      return lines.toSpliced(at, 1, `${line.slice(0, flip)}0${line.slice(flip + 1)}`);
    case "cut":
      return lines.slice(0, at);
    case "empty":
      return lines.toSpliced(at, 0, "", "");
    case "torn":
      return lines.toSpliced(at, 0, line.slice(0, flip));
    case "other":
      return lines.toSpliced(
        at,
        0,
        lineOf({ action: "get" }, 0, 0, timeAt(at), line, "f".repeat(32) as VaultId),
      );
    case "add":
      return [...lines, lineOf({ action: "get" }, two % 3, 0, timeAt(lines.length), lines.at(-1))];
    default:
      return [...lines];
  }
}

function sourceOf(lines: readonly string[], by?: number): LogSource {
  const key = by === undefined ? undefined : keyFingerprint(keys[by]!.verifyKey);
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
  };
  return key === undefined
    ? { isLocal: true, name: "here", chunks }
    : { isLocal: false, name: `pushed ${by}`, host: "h", key, chunks };
}

async function answersOf(logs: readonly LogSource[], verified: VerifiedBlocks, filter: LineFilter) {
  const reading = new LogReading(logs, { vault, readers, verified, host: "h", uid: 7, key: "" });
  const told: string[] = [];
  const tell = async (lines: readonly ReadLine[]) =>
    void told.push(...lines.map(({ status, line }) => `${status} ${JSON.stringify(line)}`));
  const asked = { filter, withDays: true, tell };
  const { reads, ...answers } = await auditAnswers({ reading, readers, names: [] }, asked);
  const read = ["web/ONE", "web/TWO", "api/ONE"].flatMap((ref) =>
    keys.map((key) => reads.find(keyFingerprint(key.verifyKey), secretOf(ref).valueId)),
  );
  // Which log tells what stands in several, and what is found first of a line, is up to what was verified first.
  const { counts, named } = answers.findings;
  const found = named.map((finding) => JSON.stringify(finding)).sort();
  return { ...answers, findings: { counts, found }, read, told: told.sort() };
}

describe("what the logs say", () => {
  it("is the same with blocks that were verified before as without, after whatever was done to them (A20)", async () => {
    await fc.assert(
      fc.asyncProperty(
        written,
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (events, edits, isPushed) => {
          const path = join(tempFolder(), "verified");
          let lines = linesOf(events);
          const pushed = [0, 1].map((by) =>
            sourceOf(
              lines.filter((line) => line.includes(keyFingerprint(keys[by]!.verifyKey))),
              by,
            ),
          );
          for (const [i, change] of [["nothing", 0, 0] as const, ...edits].entries()) {
            lines = edited(lines, change);
            const logs = [sourceOf(lines), ...(isPushed ? pushed : [])];
            const filter = FILTERS[(i + events.length) % FILTERS.length]!;
            const fresh = await answersOf(logs, noneVerified(vault), filter);
            for (let again = 0; again < 2; again++)
              expect(await answersOf(logs, new VerifiedBlocks(path, vault, owner), filter)).toEqual(fresh);
          }
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

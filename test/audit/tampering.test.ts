import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { AuditLog } from "../../src/audit/log.ts";
import type { LogSource } from "../../src/audit/source.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import type { VaultId } from "../../src/vault/names.ts";
import { readLogs, shown } from "../fixtures/read-logs.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

// Whatever anyone without a key does to a log (A20): something is found, and nothing is told as verified that nobody said.

const vault = "0123456789abcdef0123456789abcdef" as VaultId;
const keys = await Promise.all([1, 2].map(async () => SigningKey.derive(await generateIdentity("classic"))));
const AGENTS = ["crawler", "deployer"];
const readers = keys.map((key, i) => ({ key: key.verifyKey, agent: AGENTS[i]! }));
const LINES = 12;

/** A log of two agents in turn, and its bytes. */
async function makeLog(): Promise<Buffer> {
  const folder = keptTempFolder();
  let nowMs = Date.parse("2026-11-01T00:00:00.000Z");
  const now = () => (nowMs += 60_000);
  const machine = {
    env: { VAULT_RUN_AUDIT_DIR: folder },
    cwd: "/",
    home: "/",
    host: "h",
    pid: 1,
    uid: 7,
    now,
  };
  const log = new AuditLog(machine, vault, undefined);
  for (let i = 0; i < LINES; i++) {
    const secrets = [{ group: "g", name: `N${i}`, valueId: "00" }];
    await log.append({ action: "get", agent: AGENTS[i % 2]!, secrets }, keys[i % 2]!);
  }
  const bytes = readFileSync(join(folder, "audit.jsonl"));
  rmSync(folder, { recursive: true });
  return bytes;
}

const original = await makeLog();
const lines = original.toString().split("\n").slice(0, -1);
const said = new Set(lines);

function pushed(at: number): LogSource {
  const key = keyFingerprint(keys[at]!.verifyKey);
  const bytes = Buffer.from(
    lines
      .filter((line) => line.includes(key))
      .map((line) => `${line}\n`)
      .join(""),
  );
  return {
    host: "h",
    key,
    isLocal: false,
    name: `pushed ${at}`,
    chunks: () => chunksOf(bytes),
  };
}
const witnesses = [pushed(0), pushed(1)];

/** What is found in these bytes in the log's place; fails where anything is told as verified that was never said. */
async function findingsOf(bytes: Buffer, besides: readonly LogSource[] = []) {
  const log = { isLocal: true, name: "log", chunks: () => chunksOf(bytes) };
  const read = await readLogs([log, ...besides], vault, readers);
  for (const { status, line } of read.lines)
    if (status === "verified") expect(said.has(JSON.stringify(line))).toBe(true);
  return { all: shown(read.findings), kinds: read.findings.counts, named: read.findings.named };
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const joined = (kept: readonly (string | undefined)[]) =>
  Buffer.from(kept.map((line) => `${line}\n`).join(""));

describe("tampering", () => {
  it("with nothing finds nothing", async () => {
    expect((await findingsOf(original, witnesses)).all).toEqual([]);
    expect((await findingsOf(Buffer.from(`\n${lines.join("\n\n\n")}\n\n`), witnesses)).all).toEqual([]);
  });

  it("with any one bit is found", async () => {
    const some = joined(lines.slice(0, 2));
    for (let at = 0; at < some.length; at++) {
      const changed = Buffer.from(some);
      changed[at]! ^= 1 << (at % 8);
      const { all } = await findingsOf(changed);
      expect(all.length, `byte ${at}`).toBeGreaterThan(0);
    }
  });

  it("by taking lines out is found from within, and from the witness each line that is gone, and no other", async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...lines.keys()], { maxLength: LINES - 1 }), async (kept) => {
        const left = joined(kept.map((at) => lines[at]));
        const isCutAtItsEnd = kept.every((at, i) => at === i);
        expect((await findingsOf(left)).all.length > 0).toBe(!isCutAtItsEnd);
        const { named } = await findingsOf(left, witnesses);
        const gone = lines.filter((_, at) => !kept.includes(at)).map((line) => JSON.parse(line).time);
        // Without any line of a key here, it may be that another machine of this name pushed.
        const keysHere = new Set(kept.map((at) => at % 2));
        const isHere = (time: string) => keysHere.has(lines.findIndex((line) => line.includes(time)) % 2);
        const missing = named.filter(({ kind }) => kind === "missing-here").map(({ time }) => time);
        expect(missing.sort()).toEqual(gone.filter(isHere).sort());
      }),
      { numRuns: 60 },
    );
  });

  it("by putting lines in another order is found", async () => {
    const order = fc.shuffledSubarray([...lines.keys()], { minLength: LINES, maxLength: LINES });
    await fc.assert(
      fc.asyncProperty(order, async (places) => {
        const { kinds } = await findingsOf(joined(places.map((at) => lines[at])));
        const isSame = places.every((at, i) => at === i);
        expect(Object.keys(kinds)).toEqual(isSame ? [] : ["out-of-order"]);
      }),
      { numRuns: 60 },
    );
  });

  it("by copying a line to any other place is found, and counts nothing twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(LINES - 1), fc.nat(LINES), async (from, to) => {
        const { all } = await findingsOf(joined(lines.toSpliced(to, 0, lines[from]!)));
        expect(all.some((finding) => /^(repeated|out-of-order) /.test(finding))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../src/scan/finding.ts";
import { Scanner } from "../../src/scan/scanner.ts";
import { ValueFinder } from "../../src/scan/values.ts";
import { bech32Identity } from "./samples.ts";

const VALUE = "Zx9k4q7vhT2mW8";
const identity = bech32Identity("age-secret-key-");
const WINDOW = 1024 * 1024;

function scan(content: Buffer, chunkBytes: number) {
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.length; at += chunkBytes) chunks.push(content.subarray(at, at + chunkBytes));
  const scanner = new Scanner(new ValueFinder([{ name: "g/V", value: VALUE }]), new Map());
  return scanner.scan({ file: "f", chunks });
}

describe("a long content", () => {
  it("is looked through whole, each secret once and in its place, wherever windows and chunks end", async () => {
    const line = `${"x ".repeat(40)}\n`;
    for (const secret of [VALUE, identity]) {
      for (const place of [
        0,
        WINDOW - 10,
        WINDOW,
        WINDOW + 50_000,
        WINDOW + 98_304 - 20,
        2 * WINDOW,
        3 * WINDOW,
      ]) {
        const before = line.repeat(Math.floor(place / line.length));
        const text = Buffer.from(
          `${before}${"y".repeat(place - before.length)} ${secret}\n${line.repeat(500)}`,
        );
        for (const chunkBytes of [65_536, 300_001]) {
          const found = await scan(text, chunkBytes);
          expect(
            found.map((finding) => [finding.line, finding.column]),
            `${place} ${chunkBytes}`,
          ).toEqual([[before.length / line.length + 1, place - before.length + 2]]);
        }
      }
    }
  });

  it("is looked through in windows where it comes whole", async () => {
    const text = Buffer.from(`b3BlbnNzaC1rZXktdjEA${"a".repeat(10_000_000)}\n${identity}\n`);
    expect(await scan(text, text.length)).toMatchObject([
      { rule: "private-key", line: 1, column: 1 },
      { rule: "age-identity", line: 2, column: 1 },
    ]);
  });

  it("that is binary is told by its bytes", async () => {
    const content = Buffer.concat([
      randomBytes(2_000_000),
      Buffer.from(`\0\0${identity}\0`),
      randomBytes(10),
    ]);
    expect(await scan(content, 65_536)).toMatchObject([{ rule: "age-identity", line: 1, column: 2_000_003 }]);
  });

  it.each([
    ["little-endian", (text: string) => Buffer.from(text, "utf16le")],
    ["big-endian", (text: string) => Buffer.from(text, "utf16le").swap16()],
  ])("that is UTF-16 is told by its text, wherever windows and chunks end: %s", async (_, encode) => {
    const line = `${"ä😀".repeat(13)}\n`;
    const lines = Math.floor(WINDOW / line.length / 2);
    for (const secret of [VALUE, identity]) {
      for (const mark of ["\ufeff", ""]) {
        for (const before of [1, lines, lines + 1200]) {
          const filler = mark === "" ? `${"x".repeat(39)}\n` : line;
          const text = encode(`${mark}${filler.repeat(before)}ä ${secret}\n${filler.repeat(500)}`);
          expect(await scan(text, 300_001), `${before} ${mark}`).toMatchObject([
            { line: before + 1, column: 3 },
          ]);
        }
      }
    }
  });

  it("that is UTF-16 may hold a value anywhere, across the ends of windows", async () => {
    const text = Buffer.from(`\ufeff${"x ".repeat(WINDOW / 4)}${"😀 ".repeat(100_000)}`, "utf16le");
    const value = Buffer.from(VALUE, "utf16le");
    const windowEnd = Math.ceil((WINDOW + 96 * 1024) / 65_536) * 65_536;
    for (let place = windowEnd - value.length - 4; place <= windowEnd + 4; place += 4) {
      value.copy(text, place);
      expect(await scan(text, 65_536), `${place}`).toMatchObject([
        { rule: "vault-value", line: 1, column: place / 2 + 1 },
      ]);
      text.fill(Buffer.from("  ", "utf16le"), place, place + value.length);
    }
  });

  it("of thousands of keys is told by the first hundred", async () => {
    const many = Array.from({ length: 3000 }, () => bech32Identity("age-secret-key-")).join("\n");
    const found = await scan(Buffer.from(many), 65_536);
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatchObject({ kind: "structure", rule: "too-many", line: 101 });
  });

  it("is looked through to its end whatever is allowed in it, however often", async () => {
    const allowed = Array.from({ length: 150 }, () => bech32Identity("age-secret-key-"));
    const fingerprints = new Set(allowed.map((key) => fingerprintOf("age-identity", "f", key)));
    const isAllowed = (finding: { fingerprint: string }) => fingerprints.has(finding.fingerprint);
    const text = `${`${allowed[0]} `.repeat(20_000)}\n${allowed.join("\n")}\n${identity}\n`;
    const scanner = new Scanner(undefined, new Map(), isAllowed);
    const found = await scanner.scan({ file: "f", chunks: [Buffer.from(text)] });
    expect(found).toHaveLength(151);
    expect(found.filter((finding) => !isAllowed(finding))).toMatchObject([
      { rule: "age-identity", line: 152 },
    ]);
  });

  it("is told a key in which a value stands that is allowed, and nothing that lies in the value", async () => {
    const team = "T01ABCDEFGH";
    const hook = `https://hooks.slack.com/${"services"}/${team}/B01ABCDEFGH/abcdEFGHijklMNOPqrstUVWX`;
    const open = async (value: string) => {
      const finder = new ValueFinder([{ name: "slack/V", value }]);
      const content = { file: "f", chunks: [Buffer.from(`team ${team}\nhook ${hook}\n`)] };
      const [found] = await new Scanner(finder, new Map()).scan(content);
      expect(found).toMatchObject({ rule: "vault-value" });
      const isAllowed = ({ fingerprint }: { fingerprint: string }) => fingerprint === found?.fingerprint;
      const findings = await new Scanner(finder, new Map(), isAllowed).scan(content);
      return findings.filter((finding) => !isAllowed(finding));
    };
    expect(await open(team)).toMatchObject([{ rule: "slack", line: 2, column: 6 }]);
    expect(await open(hook)).toEqual([]);
  });

  it("may be empty", async () => {
    expect(await scan(Buffer.alloc(0), 1)).toEqual([]);
  });
});

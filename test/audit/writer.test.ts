import { execaSync } from "execa";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findWriter, findWriterRef, WRITER_REFS } from "../../src/audit/writer.ts";

const key = "0123456789abcdef0123456789abcdef";
const hosts = [
  "web-1",
  "web-1.example.org",
  "",
  "%",
  ".",
  "..",
  ".hidden",
  "ends.",
  "a..b",
  "a...b",
  "x.lock",
  "x.lock.",
  ".lock",
  "MacBook-Pro.local",
  "Büro 3",
  "a/b",
  "../../heads/main",
  "-rf",
  "@",
  "a@{b",
  "a\nb",
  "a\0b",
  "a:b?c*d[e\\f^g~h",
  "機械",
  "🦀",
];

describe("a writer's ref", () => {
  it("is one that git takes, one for each host, whatever the host is called", () => {
    const refs = hosts.map((host) => findWriterRef({ key, host })!);
    expect(new Set(refs).size).toBe(hosts.length);
    for (const [i, ref] of refs.entries()) {
      expect(ref).toMatch(/^refs\/vault-run\/audit\/[0-9a-f]{32}\/[a-z0-9._%-]+$/);
      expect(execaSync("git", ["check-ref-format", ref], { reject: false }).exitCode, ref).toBe(0);
      expect(findWriter(ref)).toEqual({ key, host: hosts[i] });
    }
  });

  it("leads back to the host, and two hosts never share one", () => {
    const host = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(..."aZ._-%.lock@{ä/"), maxLength: 12 }),
    );
    fc.assert(
      fc.property(host, host, (one, other) => {
        const [a, b] = [findWriterRef({ key, host: one }), findWriterRef({ key, host: other })];
        if (a === undefined || b === undefined) return;
        expect(findWriter(a)).toEqual({ key, host: one });
        expect(a.toLowerCase() === b.toLowerCase()).toBe(one === other);
        expect(a).not.toMatch(/\.\.|\/\.|\.$|\.lock$|@\{|[\0-\x20~^:?*[\\]/);
      }),
    );
  });

  it("is not made of a name that no file can have, nor of what is no fingerprint", () => {
    expect(findWriterRef({ key, host: "x".repeat(241) })).toBeUndefined();
    expect(findWriterRef({ key: `${key}/..`, host: "web" })).toBeUndefined();
  });

  it("has one spelling: no other ref is a writer's", () => {
    for (const name of [
      "WEB",
      "%77eb",
      "%4",
      "%zz",
      "%C3",
      "%c3",
      "x.lock",
      "a..b",
      ".a",
      "%%",
      "a/b",
      "%2E",
    ])
      expect(findWriter(`${WRITER_REFS}${key}/${name}`), name).toBeUndefined();
    expect(findWriter(`${WRITER_REFS}web`)).toBeUndefined();
    expect(findWriter("refs/heads/main")).toBeUndefined();
  });
});

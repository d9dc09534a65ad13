import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  parseAgentName,
  parseGroupName,
  parseSecretName,
  parseSecretRef,
  printable,
} from "../../src/vault/names.ts";
import { findPlace } from "../../src/vault/paths.ts";
import { VaultError } from "../../src/vault-error.ts";

const HOSTILE = [
  "",
  ".",
  "..",
  "../x",
  "a/b",
  "/abs",
  "-flag",
  ".hidden",
  "UPPER",
  "a\0b",
  "a\n",
  "a b",
  "ä",
  "x".repeat(65),
  "con\\x",
  "a:b",
];

describe("names (A13)", () => {
  it.each(HOSTILE)("of agents and groups are not made from %j", (text) => {
    expect(() => parseAgentName(text)).toThrow(VaultError);
    expect(() => parseGroupName(text)).toThrow(VaultError);
  });

  it.each(["", "1A", "A-B", "A.B", "A/B", "..", "A\n", "A\0", "Ä", "A B", "x".repeat(129)])(
    "of secrets are not made from %j",
    (text) => {
      expect(() => parseSecretName(text)).toThrow(VaultError);
    },
  );

  it.each(["a", "0", "crawler-2", "a.b_c", "007", "x".repeat(64)])(
    "of agents are made from %j as it is",
    (text) => {
      expect(parseAgentName(text)).toBe(text);
    },
  );

  it("split at the one slash of a place", () => {
    expect(parseSecretRef("stripe/API_KEY")).toEqual({ group: "stripe", name: "API_KEY" });
    for (const text of ["stripe", "stripe/", "/API_KEY", "a/b/C", "../vault"])
      expect(() => parseSecretRef(text)).toThrow(VaultError);
  });

  it("make every path a record's place, and no other path is one", () => {
    expect(findPlace("vault.json")).toEqual({ kind: "vault" });
    expect(findPlace("agents/a/grants/g.json")).toEqual({ kind: "grant", agent: "a", group: "g" });
    expect(findPlace("groups/g/secrets/N.json")).toEqual({ kind: "secret", group: "g", name: "N" });
    for (const path of [
      "agents/../agent.json",
      "groups/g/secrets/../group.json",
      "x.json",
      "groups/g/secrets/1.json",
      "agents/a/b/agent.json",
      "groups/g/group.json/x",
    ]) {
      expect(findPlace(path)).toBeUndefined();
    }
  });

  it("are printed without anything that could drive a terminal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      }),
    );
  });
});

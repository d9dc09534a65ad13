import { inspect } from "node:util";
import { bech32 } from "@scure/base";
import { describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { Identity, parseRecipient, suiteOf } from "../../src/age/identity.ts";

describe("an identity", () => {
  it.each(["pq", "classic"] as const)(
    "of suite %s parses from its own text and names its suite",
    async (suite) => {
      const identity = await generateIdentity(suite);
      expect(Identity.parse(identity.reveal())?.suite).toBe(suite);
      expect(identity.secretBytes()).toHaveLength(32);
      expect(suiteOf(await recipientOf(identity))).toBe(suite);
    },
  );

  it("never prints itself", async () => {
    const identity = await generateIdentity("classic");
    const printed = [
      String(identity),
      `${identity}`,
      JSON.stringify({ identity }),
      inspect(identity, { showHidden: true, depth: 9 }),
    ];
    for (const text of printed) expect(text).not.toContain("AGE-SECRET-KEY");
  });

  it.each([
    ["a plugin identity", "AGE-PLUGIN-YUBIKEY-1QQPQZ"],
    ["lower case", "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpqr3ktnp"],
    ["nothing", ""],
    ["the prefix alone", "AGE-SECRET-KEY-1"],
  ])("does not parse from %s", (_, text) => {
    expect(Identity.parse(text)).toBeUndefined();
  });

  it("does not parse where one character is wrong", async () => {
    const text = (await generateIdentity("classic")).reveal();
    const wrong = text.slice(0, 30) + (text[30] === "Q" ? "P" : "Q") + text.slice(31);
    expect(Identity.parse(wrong)).toBeUndefined();
  });
});

describe("a recipient (A11: nothing is run because a record names it)", () => {
  it.each([
    ["a plugin with a path", "age1../../../tmp/x"],
    ["a plugin", bech32.encode("age1yubikey", bech32.toWords(new Uint8Array(33)), false)],
    ["a tag recipient", bech32.encode("age1tag", bech32.toWords(new Uint8Array(33)), false)],
    ["a short key", bech32.encode("age", bech32.toWords(new Uint8Array(31)), false)],
    ["a long key", bech32.encode("age1pq", bech32.toWords(new Uint8Array(1217)), false)],
    ["an SSH key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ"],
    ["upper case", bech32.encode("age", bech32.toWords(new Uint8Array(32)), false).toUpperCase()],
    ["an identity", "AGE-SECRET-KEY-1QQQQ"],
    ["nothing", ""],
  ])("is not parsed from %s", (_, text) => {
    expect(parseRecipient(text)).toBeUndefined();
  });
});

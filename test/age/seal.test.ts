import { bech32 } from "@scure/base";
import { Decrypter, Encrypter } from "age-encryption";
import { describe, expect, it } from "vitest";
import { DamagedAgeFile } from "../../src/age/damaged-age-file.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import type { Recipient } from "../../src/age/identity.ts";
import { open } from "../../src/age/open.ts";
import { openPortably } from "../../src/age/open-portable.ts";
import { seal } from "../../src/age/seal.ts";
import { findNativeRecipient } from "../../src/age/wrap-native.ts";

const plaintext = Buffer.from("exactly these bytes \u0000 and no others");

describe.each(["pq", "classic"] as const)("an age file of suite %s", (suite) => {
  it("opens with the age-encryption package alone, for each recipient", async () => {
    const identities = [await generateIdentity(suite), await generateIdentity(suite)];
    const [a, b] = await Promise.all(identities.map(recipientOf));
    const file = await seal(plaintext, [a!, b!]);
    for (const identity of identities) {
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity.reveal());
      expect(Buffer.from(await decrypter.decrypt(file))).toEqual(plaintext);
    }
  });

  it("is not for another identity: an answer, not an error", async () => {
    const file = await seal(plaintext, [await recipientOf(await generateIdentity(suite))]);
    expect(await open(file, await generateIdentity(suite))).toBeUndefined();
  });

  it("is damaged where a byte of its body is changed or missing: an error, not an answer", async () => {
    const identity = await generateIdentity(suite);
    const file = await seal(plaintext, [await recipientOf(identity)]);
    const changed = Buffer.from(file);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    for (const damaged of [changed, file.subarray(0, -1), file.subarray(0, 10), Buffer.alloc(0)]) {
      await expect(open(damaged, identity)).rejects.toBeInstanceOf(DamagedAgeFile);
    }
  });
});

describe("what node's own cryptography wraps", () => {
  it("opens with the age-encryption package and natively, a thousand times", async () => {
    const identity = await generateIdentity("pq");
    const recipient = await recipientOf(identity);
    expect(findNativeRecipient(recipient)).toBeDefined();
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const text = Buffer.from(`number ${i}`);
      const file = await seal(text, [recipient]);
      expect(await open(file, identity)).toEqual(text);
      if (i % 10 === 0) expect(await openPortably(file, identity)).toEqual(text);
      seen.add(file.toString("base64"));
    }
    expect(seen.size).toBe(1000);
  });

  it("has the form and the size of what the package wraps, so that nobody can tell who did", async () => {
    const recipient = await recipientOf(await generateIdentity("pq"));
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const theirs = Buffer.from(await encrypter.encrypt(plaintext)).toString("latin1");
    const ours = (await seal(plaintext, [recipient])).toString("latin1");
    const form = (file: string) =>
      file
        .slice(0, file.indexOf("\n---"))
        .split("\n")
        .map((line) => line.replaceAll(/[A-Za-z0-9+/]{30,}/g, (found) => `${found.length}`));
    expect(form(ours)).toEqual(form(theirs));
    expect(ours.length).toBe(theirs.length);
  });

  it("is not made for a recipient whose key is none", async () => {
    const recipient = await recipientOf(await generateIdentity("pq"));
    const words = bech32.decode(recipient as `${string}1${string}`, false).words;
    // All ones: no coefficient of an ML-KEM key is as large (FIPS 203, section 7.2).
    const invalid = bech32.encode("age1pq", words.map(() => 31).with(-1, 0), false) as Recipient;
    expect(findNativeRecipient(invalid)).toBeUndefined();
  });

  it("refuses a recipient whose checksum does not hold, by the name of what is wrong", async () => {
    const recipient = await recipientOf(await generateIdentity("pq"));
    const wrong = recipient.slice(0, 100) + (recipient[100] === "q" ? "p" : "q") + recipient.slice(101);
    await expect(seal(plaintext, [wrong as Recipient])).rejects.toMatchObject({ code: "record-invalid" });
  });
});

describe("sealing", () => {
  it("refuses to mix post-quantum and classic recipients in one file", async () => {
    const pq = await recipientOf(await generateIdentity("pq"));
    const classic = await recipientOf(await generateIdentity("classic"));
    await expect(seal(plaintext, [pq, classic])).rejects.toThrow(TypeError);
  });

  it("refuses an empty list, which the package would take", async () => {
    await expect(seal(plaintext, [] as never)).rejects.toThrow(TypeError);
  });
});

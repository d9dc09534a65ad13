import { Decrypter } from "age-encryption";
import { describe, expect, it } from "vitest";
import { DamagedAgeFile } from "../../src/age/damaged-age-file.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { open } from "../../src/age/open.ts";
import { seal } from "../../src/age/seal.ts";

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

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DamagedAgeFile } from "../../src/age/damaged-age-file.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { Identity } from "../../src/age/identity.ts";
import { findNativeKeys, type NativeKeys, openNatively } from "../../src/age/open-native.ts";
import { openPortably } from "../../src/age/open-portable.ts";
import { seal } from "../../src/age/seal.ts";
import { VECTORS, type Vector } from "./vectors.ts";

const CHUNK_BYTES = 64 * 1024 + 16;
const LARGE_BYTES = 16 * 1024;

type Outcome = { readonly plaintext: Buffer } | "no match" | "damaged";

const keysOf = new Map<Identity, NativeKeys>();

function outcomeOf(file: Buffer, identity: Identity): Outcome {
  const keys = keysOf.get(identity) ?? findNativeKeys(identity);
  if (keys === undefined) throw new Error("this runtime has no ML-KEM");
  keysOf.set(identity, keys);
  try {
    const plaintext = openNatively(file, keys);
    return plaintext === undefined ? "no match" : { plaintext };
  } catch (error) {
    if (error instanceof DamagedAgeFile) return "damaged";
    throw error;
  }
}

async function portableOutcomeOf(file: Buffer, identity: Identity): Promise<Outcome> {
  try {
    const plaintext = await openPortably(file, identity);
    return plaintext === undefined ? "no match" : { plaintext };
  } catch (error) {
    if (error instanceof DamagedAgeFile) return "damaged";
    throw error;
  }
}

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const stranger = await generateIdentity("pq");

/** Every identity that a vector names in turn, as age tries them; a file for nobody is tried with a stranger. */
function outcomeOfVector({ identities, file }: Pick<Vector, "identities" | "file">): Outcome {
  let last: Outcome = "no match";
  for (const identity of identities.length === 0 ? [stranger] : identities) {
    last = outcomeOf(file, identity);
    if (last !== "no match") return last;
  }
  return last;
}

/** Everywhere in a small file. In one of megabytes: all through the header, around the ends of some chunks, and at the end. */
function* cutsOf(file: Buffer): Generator<number> {
  const payloadStart = file.indexOf("\n", file.indexOf("\n--- ") + 1) + 1 + 16;
  const lastChunk = Math.floor((file.length - payloadStart) / CHUNK_BYTES);
  for (let cut = 0; cut < file.length; cut++) {
    const chunk = Math.floor((cut - payloadStart) / CHUNK_BYTES);
    const intoChunk = (cut - payloadStart) % CHUNK_BYTES;
    const isNearEdge =
      (intoChunk < 20 || intoChunk > CHUNK_BYTES - 20) && (chunk < 2 || chunk > lastChunk - 2);
    if (file.length <= LARGE_BYTES || cut < payloadStart + 100 || isNearEdge || file.length - cut < 40)
      yield cut;
  }
}

describe("the published test kit", () => {
  it("is there, whole", () => {
    expect(VECTORS.length).toBeGreaterThanOrEqual(143);
    expect(new Set(VECTORS.map(({ expect: expected }) => expected))).toEqual(
      new Set(["success", "no match", "HMAC failure", "header failure", "payload failure", "armor failure"]),
    );
  });

  it.each(VECTORS.map((vector) => [vector.name, vector] as const))("%s comes out as it says", (_, vector) => {
    const outcome = outcomeOfVector(vector);
    // A vault holds binary files sealed to identities: armor and passphrases are refused whatever is in them.
    const isForIdentities = vector.identities.length > 0 && !vector.isArmored;
    if (vector.expect === "success" && isForIdentities) {
      expect(outcome).toHaveProperty("plaintext");
      expect(digest((outcome as { plaintext: Buffer }).plaintext)).toBe(vector.payload);
    } else if (vector.expect === "no match" && !vector.isArmored) {
      expect(outcome).toBe("no match");
    } else if (isForIdentities || vector.isArmored) {
      expect(outcome).toBe("damaged");
    } else {
      expect(outcome).not.toHaveProperty("plaintext");
    }
  });

  it.each(VECTORS.map((vector) => [vector.name, vector] as const))(
    "%s, cut anywhere, is not what it was",
    async (_, vector) => {
      for (const cut of cutsOf(vector.file)) {
        const file = vector.file.subarray(0, cut);
        const outcome = outcomeOfVector({ ...vector, file });
        if (typeof outcome === "object") {
          // What was cut off is the garbage behind a file that is whole.
          expect(vector.expect, `cut after ${cut} bytes`).toBe("payload failure");
          expect(outcome).toEqual(await portableOutcomeOf(file, vector.identities[0]!));
        } else if (vector.expect === "success" && vector.identities.length > 0) {
          expect(outcome).toBe("damaged");
        }
      }
    },
  );
});

describe.each(["pq", "classic"] as const)("beside age-encryption, suite %s", (suite) => {
  it("opens what that seals, of every size around a chunk's end", async () => {
    const identity = await generateIdentity(suite);
    const recipient = await recipientOf(identity);
    for (const bytes of [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 131_072, 131_073, 1_048_576]) {
      const plaintext = Buffer.alloc(bytes, "some text ");
      const outcome = outcomeOf(await seal(plaintext, [recipient]), identity);
      expect(outcome).toEqual({ plaintext });
    }
  });

  it("opens for each of many recipients, and for nobody else", async () => {
    const identities = await Promise.all(Array.from({ length: 5 }, () => generateIdentity(suite)));
    const [first, ...others] = await Promise.all(identities.map(recipientOf));
    const file = await seal(Buffer.from("for five"), [first!, ...others]);
    for (const identity of identities)
      expect(outcomeOf(file, identity)).toEqual({ plaintext: Buffer.from("for five") });
    expect(outcomeOf(file, await generateIdentity(suite))).toBe("no match");
  });

  it("agrees with it on files with any bytes changed, put in or taken out", async () => {
    const identity = await generateIdentity(suite);
    const recipients = [
      await recipientOf(await generateIdentity(suite)),
      await recipientOf(identity),
    ] as const;
    const plaintext = Buffer.from("what both must agree on");
    const file = await seal(plaintext, [...recipients]);
    const headerBytes = file.indexOf("\n", file.indexOf("\n---") + 1);
    const change = fc.record({
      at: fc.oneof(
        fc.nat(file.length - 1),
        fc.integer({ min: Math.max(0, headerBytes - 200), max: file.length - 1 }),
      ),
      taken: fc.integer({ min: 0, max: 3 }),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc
          .constantFrom(" ", "\n", "\r\n", "=", "-> x", "---", "A", "-", "\0")
          .map((text) => Buffer.from(text)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
        const changed = changes.reduce(
          (bytes, { at, taken, put }) =>
            Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + taken)]),
          file,
        );
        const ours = outcomeOf(changed, identity);
        const theirs = await portableOutcomeOf(changed, identity);
        if (changed.equals(file)) expect(ours).toEqual({ plaintext });
        else expect(ours).not.toHaveProperty("plaintext");
        // It looks at the MAC's length only once there is a key to check it with.
        if (ours !== "damaged" || theirs !== "no match") expect(ours).toEqual(theirs);
      }),
      { numRuns: 500 },
    );
  });
});

describe("an identity's keys", () => {
  it("are found for both suites by the runtime that this project develops with", async () => {
    for (const suite of ["pq", "classic"] as const)
      expect(findNativeKeys(await generateIdentity(suite))).toBeDefined();
  });

  it("are another identity's for another identity", () => {
    const [a, b] = [
      "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0",
      "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG",
    ].map((text) => findNativeKeys(Identity.parse(text)!)?.x25519.publicBytes.toString("hex"));
    expect(a).not.toBe(b);
  });
});

describe("a header that is too long", () => {
  it("is refused before its stanzas are tried", () => {
    const identity = Identity.parse(
      "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG",
    )!;
    const file = Buffer.from(`age-encryption.org/v1\n${"-> a\n\n".repeat(50_000)}`);
    expect(() => openNatively(file, findNativeKeys(identity)!)).toThrow("its header is too long");
  });
});

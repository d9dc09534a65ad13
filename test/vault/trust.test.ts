import { describe, expect, it } from "vitest";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { VAULT_PATH } from "../../src/vault/paths.ts";
import { decodeRecord, encodeRecord, signRecord } from "../../src/vault/record.ts";
import type { VaultRecord } from "../../src/vault/schema.ts";
import { linkBytes, type TrustSource, verifyVaultRecord } from "../../src/vault/trust.ts";
import { VaultError, type VaultErrorCode } from "../../src/vault-error.ts";

interface Owner {
  key: SigningKey;
  recipient: string;
}

async function makeOwner(): Promise<Owner> {
  const identity = await generateIdentity("classic");
  return { key: SigningKey.derive(identity), recipient: await recipientOf(identity) };
}

const [first, second, third, attacker] = (await Promise.all([
  makeOwner(),
  makeOwner(),
  makeOwner(),
  makeOwner(),
])) as [Owner, Owner, Owner, Owner];
const vault = "0123456789abcdef0123456789abcdef";
const at = "2026-11-23T12:00:00.000Z";

function link(from: Owner, to: Owner, signer: Owner = from) {
  const fields = { from: from.key.verifyKey, to: to.key.verifyKey, at: at as never };
  return { ...fields, sig: signer.key.sign(linkBytes(vault, fields)) };
}

function vaultRecord(
  owners: Owner[],
  signer: Owner,
  succession: ReturnType<typeof link>[] = [],
): VaultRecord {
  const listed = owners.map((owner, i) => ({
    name: `owner${i}`,
    recipient: owner.recipient,
    verifyKey: owner.key.verifyKey,
  }));
  const unsigned = {
    type: "vault",
    vault,
    serial: 1,
    format: 1,
    suite: "classic",
    owners: listed,
    policy: { audit: "required" },
    succession,
    createdAt: at,
  };
  return signRecord(unsigned as never, signer.key) as never;
}

const pinned = (...owners: Owner[]): TrustSource => ({
  from: "the key file",
  keys: owners.map((owner) => owner.key.verifyKey),
});

function verdict(record: VaultRecord, ...sources: TrustSource[]): VaultErrorCode | "trusted" {
  try {
    verifyVaultRecord(record, sources);
    return "trusted";
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}

describe("a vault", () => {
  it("is trusted where the pinned key signed it", () => {
    expect(verdict(vaultRecord([first], first), pinned(first))).toBe("trusted");
  });

  it("is refused where its owner was swapped (A2, promise 5)", () => {
    expect(verdict(vaultRecord([attacker], attacker), pinned(first))).toBe("untrusted");
    expect(verdict(vaultRecord([first, attacker], attacker), pinned(first))).toBe("record-signature");
  });

  it("is refused where it was changed after it was signed", () => {
    const record = vaultRecord([first], first);
    expect(verdict({ ...record, policy: { audit: "best-effort" } }, pinned(first))).toBe("record-signature");
  });

  it("is refused where a trusted key's signature does not hold, even beside one that does", () => {
    const record = vaultRecord([first, second], first);
    const forged = {
      key: second.key.verifyKey,
      alg: "ed25519" as const,
      sig: Buffer.alloc(64).toString("base64"),
    };
    expect(verdict({ ...record, signatures: [...record.signatures, forged] }, pinned(first, second))).toBe(
      "record-signature",
    );
  });

  it("is refused with a signature of someone who has no part in it (A6: it would make other bytes of the same record)", () => {
    const record = vaultRecord([first], first);
    const junk = {
      key: attacker.key.verifyKey,
      alg: "ed25519" as const,
      sig: Buffer.alloc(64).toString("base64"),
    };
    expect(verdict({ ...record, signatures: [...record.signatures, junk] }, pinned(first))).toBe(
      "record-signature",
    );
    const twice = { ...record, signatures: [...record.signatures, ...record.signatures] };
    expect(verdict(twice, pinned(first))).toBe("record-signature");
  });

  it("may be signed by the key before it, too", () => {
    const chain = [link(first, second)];
    const record = vaultRecord([second], second, chain);
    const both = {
      ...record,
      signatures: [...vaultRecord([second], first, chain).signatures, ...record.signatures],
    };
    expect(verdict(both, pinned(first))).toBe("trusted");
    expect(verdict(both, pinned(second))).toBe("trusted");
  });

  it("is trusted along a chain of successors, each signed by the one before", () => {
    const chain = [link(second, third), link(first, second)];
    expect(verdict(vaultRecord([third], third, chain), pinned(first))).toBe("trusted");
  });

  it("is refused along a chain with a forged link", () => {
    const chain = [link(first, attacker, attacker)];
    expect(verdict(vaultRecord([attacker], attacker, chain), pinned(first))).toBe("untrusted");
  });

  it("is refused along a link that was made for another vault", () => {
    const fields = { from: first.key.verifyKey, to: attacker.key.verifyKey, at: at as never };
    const foreign = { ...fields, sig: first.key.sign(linkBytes("ffffffffffffffffffffffffffffffff", fields)) };
    expect(verdict(vaultRecord([attacker], attacker, [foreign]), pinned(first))).toBe("untrusted");
  });

  it("is never trusted backwards", () => {
    expect(verdict(vaultRecord([first], first, [link(first, second)]), pinned(second))).toBe("untrusted");
  });

  it("must satisfy every source: a machine that followed a link does not go back with an old key file", () => {
    const old = vaultRecord([first], first);
    expect(verdict(old, pinned(first), { from: "this machine", keys: [second.key.verifyKey] })).toBe(
      "untrusted",
    );
  });

  it("is refused where an owner stands twice, or there are more links than anyone needs", () => {
    expect(verdict(vaultRecord([first, first], first), pinned(first))).toBe("record-invalid");
    const record = vaultRecord(
      [first],
      first,
      Array.from({ length: 257 }, () => link(first, second)),
    );
    expect(() => decodeRecord(VAULT_PATH, encodeRecord(record))).toThrow(VaultError);
  });

  it("cannot be trusted without any source", () => {
    expect(() => verifyVaultRecord(vaultRecord([first], first), [])).toThrow(TypeError);
  });
});

describe("a vault with two owners", () => {
  const added = [link(first, second)];

  it("is trusted by either of them, and by who pinned either, whoever signed it last", () => {
    for (const signer of [first, second]) {
      const record = vaultRecord([first, second], signer, added);
      expect(verdict(record, pinned(first))).toBe("trusted");
      expect(verdict(record, pinned(first, second))).toBe("trusted");
    }
  });

  it("is refused where only one signed whom neither the pinned key nor a link of its own vouches for", () => {
    expect(verdict(vaultRecord([first, second], second), pinned(first))).toBe("record-signature");
  });
});

describe("an owner who was removed", () => {
  const added = link(first, second);
  const machine = (current: Owner[], former: Owner[]): TrustSource => ({
    ...pinned(...current),
    former: former.map((owner) => owner.key.verifyKey),
  });

  it("cannot come back with the genuine link that once led to them", () => {
    const forged = vaultRecord([second], second, [added]);
    expect(verdict(forged, pinned(first))).toBe("trusted");
    expect(verdict(forged, pinned(first), machine([first], [second]))).toBe("untrusted");
  });

  it("cannot lead to someone else by a link of their own, past themselves", () => {
    const forged = vaultRecord([third], third, [added, link(second, third)]);
    expect(verdict(forged, pinned(first))).toBe("trusted");
    expect(verdict(forged, pinned(first), machine([first], [second]))).toBe("untrusted");
  });

  it("is refused as an owner also where one who is an owner signs", () => {
    const record = vaultRecord([first, second], first, [added]);
    expect(verdict(record, machine([first], [second]))).toBe("untrusted");
  });

  it("does not break the way from an old key file to those whom they added", () => {
    const record = vaultRecord([third], third, [added, link(second, third)]);
    expect(verdict(record, pinned(first), machine([third], [first, second]))).toBe("trusted");
  });

  it("does not cut off an owner who replaced their key twice from who pinned the first one", () => {
    const record = vaultRecord([third], third, [added, link(second, third)]);
    expect(verdict(record, pinned(first), machine([second], [first]))).toBe("trusted");
  });

  it("cannot fork from a replaced key on a machine that has followed it", () => {
    const fork = vaultRecord([attacker], attacker, [added, link(first, attacker)]);
    expect(verdict(fork, pinned(first))).toBe("trusted");
    expect(verdict(fork, pinned(first), machine([second], [first]))).toBe("untrusted");
  });
});

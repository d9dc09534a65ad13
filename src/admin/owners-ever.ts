import { hash } from "node:crypto";
import type { VerifyKey } from "../age/signing-key.ts";
import { encodeRecord, findSigner, signedBytes } from "../vault/record.ts";
import type { SignedRecord, VaultRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import type { PastRecord } from "./past-records.ts";

// Who may have signed what stands in git's history: those who are owners, those whom `succession` names, and the owners
// in earlier versions of vault.json that one of these signed. A former owner's key may be in other hands: what it signed
// is told apart from what an owner of today signed, and nobody takes it for more than that.

export interface EverOwner {
  readonly key: VerifyKey;
  /** Undefined where no version of vault.json in history has it. */
  readonly name: string | undefined;
  readonly isCurrent: boolean;
}

export class OwnersEver {
  readonly #vault: Vault;
  readonly #owners: ReadonlyMap<VerifyKey, EverOwner>;
  readonly #keys: ReadonlySet<VerifyKey>;
  /** By a record's text: one text stands in many commits, and a signature takes longer to verify than all the rest. */
  readonly #signers = new Map<string, EverOwner | undefined>();

  /** @param past versions of vault.json in history; what else is in it is passed over. */
  constructor(vault: Vault, past: readonly PastRecord[]) {
    this.#vault = vault;
    this.#owners = ownersEver(vault, past);
    this.#keys = new Set(this.#owners.keys());
  }

  get all(): readonly EverOwner[] {
    return [...this.#owners.values()];
  }

  /** The owner, of today or before, who signed a record of this vault; undefined where none did. */
  findSigner(record: SignedRecord): EverOwner | undefined {
    if (record.vault !== this.#vault.id) return undefined;
    const text = hash("sha256", encodeRecord(record), "base64");
    if (!this.#signers.has(text)) this.#signers.set(text, this.#verify(record));
    return this.#signers.get(text);
  }

  #verify(record: SignedRecord): EverOwner | undefined {
    const key = findSigner(record, signedBytes(record), this.#keys);
    return key === undefined ? undefined : this.#owners.get(key);
  }
}

function ownersEver(vault: Vault, past: readonly PastRecord[]): Map<VerifyKey, EverOwner> {
  const { owners, succession } = vault.record;
  const linked = succession.flatMap((link) => [link.from, link.to]);
  const known = new Set([...owners.map((owner) => owner.verifyKey), ...linked]);
  const names = new Map(owners.map((owner) => [owner.verifyKey, owner.name]));
  let left = past.flatMap(({ record }) =>
    record.type === "vault" && record.vault === vault.id ? [record] : [],
  );
  for (let signed = left; signed.length > 0; ) {
    signed = left.filter((record) => isSignedBy(record, known));
    left = left.filter((record) => !signed.includes(record));
    for (const { name, verifyKey } of signed.flatMap((record) => record.owners)) {
      known.add(verifyKey);
      if (!names.has(verifyKey)) names.set(verifyKey, name);
    }
  }
  const current = new Set(vault.owners);
  return new Map([...known].map((key) => [key, { key, name: names.get(key), isCurrent: current.has(key) }]));
}

/** A vault.json has the signatures of all who vouched for it, for those who pinned them. */
function isSignedBy(record: VaultRecord, known: ReadonlySet<VerifyKey>): boolean {
  const linked = record.succession.flatMap((link) => [link.from, link.to]);
  const involved = new Set([...record.owners.map((owner) => owner.verifyKey), ...linked]);
  return findSigner(record, signedBytes(record), known, involved) !== undefined;
}

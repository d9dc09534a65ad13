import { randomBytes } from "node:crypto";
import type { Identity, Recipient } from "../age/identity.ts";
import { SigningKey } from "../age/signing-key.ts";
import { findOwnerKey, trustSources } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import type { RecordPath } from "../vault/paths.ts";
import type { Pins } from "../vault/pins.ts";
import { signRecord } from "../vault/record.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { RecordSource } from "../vault/record-source.ts";
import type { SignedRecord, Unsigned } from "../vault/schema.ts";
import { type Timestamp, timestamp } from "../vault/time.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import { BranchedPins } from "./branched-pins.ts";

// A verified vault seen with an owner's key: what every plan is made from. It signs records and counts serials; it
// changes nothing on disk.

/** What is read, where it is not the work tree, and what it must not be older than. */
export interface Reading {
  readonly files?: RecordSource;
  readonly pins?: Pins;
}

export class OwnerSession {
  readonly vault: Vault;
  readonly identity: Identity;
  readonly signingKey: SigningKey;
  readonly #machine: Machine;

  private constructor(machine: Machine, vault: Vault, identity: Identity, signingKey: SigningKey) {
    this.#machine = machine;
    this.vault = vault;
    this.identity = identity;
    this.signingKey = signingKey;
  }

  static async open(
    machine: Machine,
    root: string,
    ownerKeyFile: string | undefined,
    { files = new RecordFiles(root), pins }: Reading = {},
  ): Promise<OwnerSession> {
    const unverified = readUnverifiedVault(files);
    const { id } = unverified;
    const found = await findOwnerKey(machine, id, ownerKeyFile);
    const signingKey = SigningKey.derive(found.keyFile.identity);
    // The owner's own key is a source of trust of its own: what it signed once is what it trusts now.
    const own = { from: found.from, keys: [signingKey.verifyKey] };
    const vault = Vault.verify(unverified, pins ?? new BranchedPins(stateFolder(machine, id), root), [
      own,
      ...trustSources(machine, found),
    ]);
    if (!vault.owners.includes(signingKey.verifyKey)) {
      throw new VaultError(
        "wrong-key",
        `this key is no owner of this vault: ${found.from}`,
        "name the owner's key file with --owner-key-file",
      );
    }
    return new OwnerSession(machine, vault, found.keyFile.identity, signingKey);
  }

  /** The owners' recipients: what groups' identities and escrows are sealed to. */
  get ownerRecipients(): readonly [Recipient, ...Recipient[]] {
    const [first, ...rest] = this.vault.record.owners.map((owner) => owner.recipient);
    if (first === undefined) throw new TypeError("a verified vault without an owner");
    return [first, ...rest];
  }

  get nowMs(): number {
    return this.#machine.now();
  }

  get now(): Timestamp {
    return timestamp(this.nowMs);
  }

  /** 128 random bits in hex: names a new value. */
  newValueId(): string {
    return randomBytes(16).toString("hex");
  }

  /** Completes and signs a record for its path, with a serial above every one known there. */
  sign<R extends SignedRecord>(path: RecordPath, fields: Omit<R, "vault" | "serial" | "signatures">): R {
    const serial = Math.max(this.nowMs, this.vault.lastSerial(path) + 1);
    // The compiler cannot see that the three fields that were left out complete an R again.
    return signRecord(
      { ...fields, vault: this.vault.id, serial } as unknown as Unsigned<R>,
      this.signingKey,
    ) as unknown as R;
  }
}

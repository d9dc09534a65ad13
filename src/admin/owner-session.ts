import { randomBytes } from "node:crypto";
import type { Identity, Recipient } from "../age/identity.ts";
import { SigningKey, type VerifyKey } from "../age/signing-key.ts";
import { AuditLog } from "../audit/log.ts";
import { recordingDenials } from "../audit/pull.ts";
import { findHeadCommit } from "../git/head.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import { keyFileExists } from "../vault/key-file.ts";
import { trustSources } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import { type OwnerKey, readOwnerKey, requireOwnerKey } from "../vault/owner-key.ts";
import type { RecordPath } from "../vault/paths.ts";
import type { Pins } from "../vault/pins.ts";
import { signRecord } from "../vault/record.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { RecordSource } from "../vault/record-source.ts";
import type { Owner, SignedRecord, Unsigned } from "../vault/schema.ts";
import { type Timestamp, timestamp } from "../vault/time.ts";
import type { TrustSource } from "../vault/trust.ts";
import { readUnverifiedVault, type UnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import { BranchedPins } from "./branched-pins.ts";
import type { WatchedFiles } from "./watched-files.ts";

// A verified vault seen with an owner's key: what every plan is made from. It signs records and counts serials; it
// changes nothing on disk.

/** What is read, where it is not the work tree, and what it must not be older than. */
export interface Reading {
  readonly files?: RecordSource;
  /** The work tree, where it is to be known later what was read of it. */
  readonly watched?: WatchedFiles;
  readonly pins?: Pins;
}

export class OwnerSession {
  readonly vault: Vault;
  readonly identity: Identity;
  readonly signingKey: SigningKey;
  readonly #machine: Machine;
  readonly #found: OwnerKey;
  readonly #owners: readonly Owner[];

  private constructor(
    machine: Machine,
    vault: Vault,
    found: OwnerKey,
    signingKey: SigningKey,
    owners: readonly Owner[],
  ) {
    this.#machine = machine;
    this.vault = vault;
    this.identity = found.keyFile.identity;
    this.#found = found;
    this.signingKey = signingKey;
    this.#owners = owners;
  }

  /** Whoever comes with a key that is refused for the work tree's vault is recorded by it. */
  static async open(
    machine: Machine,
    root: string,
    ownerKeyFile: string | undefined,
    { files, watched, pins }: Reading = {},
  ): Promise<OwnerSession> {
    const unverified = readUnverifiedVault(files ?? watched ?? new RecordFiles(root));
    const { id } = unverified;
    const found = await readOwnerKey(machine, id, ownerKeyFile);
    const signingKey = SigningKey.derive(found.keyFile.identity);
    const seen = pins ?? new BranchedPins(stateFolder(machine, id), root);
    const verified = () => {
      requireOwnerKey(found, id);
      const vault = verifyAsOwner(machine, unverified, found, signingKey, seen);
      return new OwnerSession(machine, vault, found, signingKey, vault.record.owners);
    };
    if (files !== undefined) return verified();
    const { agent, vault: logged = id } = found.keyFile;
    const log = new AuditLog(machine, logged, findHeadCommit(root));
    // The refusal itself is told; that the log has no line of it is no news beside it.
    return recordingDenials(log, signingKey, agent === undefined ? {} : { agent }, () => {}, verified);
  }

  /**
   * Who a found key says that the vault is: the owners it pins. A bare key of an owner trusts itself; one that pins the owners
   * must not, as another of them may have signed last.
   */
  static sourcesOf(machine: Machine, found: OwnerKey): TrustSource[] {
    const sources = trustSources(machine, found);
    if (found.keyFile.owners.length > 0) return sources;
    return [...sources, { from: found.from, keys: [SigningKey.derive(found.keyFile.identity).verifyKey] }];
  }

  /**
   * The same vault, for a change of its owners: what is made from here is sealed to these owners and signed with this key,
   * the key of one of them.
   */
  under(owners: readonly Owner[], signingKey: SigningKey): OwnerSession {
    return new OwnerSession(this.#machine, this.vault, this.#found, signingKey, owners);
  }

  /** Where the key came from. */
  get keyFrom(): string {
    return this.#found.from;
  }

  /** Whether the key is stored with a passphrase. */
  get hasPassphrase(): boolean {
    return this.#found.hasPassphrase;
  }

  /** The owner whose key this is. */
  get self(): Owner {
    const self = this.vault.record.owners.find((owner) => owner.verifyKey === this.signingKey.verifyKey);
    if (self === undefined) throw new TypeError("a session of no owner");
    return self;
  }

  /** The owners' recipients: what groups' identities and escrows are sealed to. */
  get ownerRecipients(): readonly [Recipient, ...Recipient[]] {
    const [first, ...rest] = this.#owners.map((owner) => owner.recipient);
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

  /** Completes and signs a record for its path, with a serial above every one known there, and above `besides`. */
  sign<R extends SignedRecord>(
    path: RecordPath,
    fields: Omit<R, "vault" | "serial" | "signatures">,
    besides = 0,
  ): R {
    const serial = Math.max(this.nowMs, this.vault.lastSerial(path) + 1, besides + 1);
    // The compiler cannot see that the three fields that were left out complete an R again.
    return signRecord(
      { ...fields, vault: this.vault.id, serial } as unknown as Unsigned<R>,
      this.signingKey,
    ) as unknown as R;
  }
}

function verifyAsOwner(
  machine: Machine,
  unverified: UnverifiedVault,
  found: OwnerKey,
  { verifyKey }: SigningKey,
  seen: Pins,
): Vault {
  const vault = Vault.verify(unverified, seen, OwnerSession.sourcesOf(machine, found));
  if (!vault.owners.includes(verifyKey)) throw noOwner(vault, verifyKey, found.from);
  return vault;
}

function noOwner(vault: Vault, key: VerifyKey, from: string): VaultError {
  if (!vault.ownerKeys.former.includes(key)) {
    return new VaultError(
      "wrong-key",
      `this key is no owner of this vault: ${from}`,
      "name the owner's key file with --owner-key-file",
    );
  }
  const successors = vault.record.succession.filter((link) => link.from === key).map((link) => link.to);
  const next = successors.map((successor) => besideKeyFile(from, successor)).find(keyFileExists);
  return new VaultError(
    "wrong-key",
    `this owner's key was replaced or removed: ${from}`,
    next === undefined
      ? "name the key file that replaced it with --owner-key-file; a removed owner has no way back but a new key"
      : `move it away and put the one that replaced it in its place: ${next}`,
  );
}

/** Where the key file goes that replaces an owner's: its place is taken by the old one, which is left alone. */
export function besideKeyFile(old: string, key: VerifyKey): string {
  return `${old.replace(/\.key$/, "")}-${keyFingerprint(key).slice(0, 8)}.key`;
}

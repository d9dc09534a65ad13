import type { SigningKey, VerifyKey } from "../../age/signing-key.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import { VAULT_PATH } from "../../vault/paths.ts";
import {
  MAX_OWNERS,
  MAX_SUCCESSION_LINKS,
  type Owner,
  type OwnerExposure,
  type VaultRecord,
} from "../../vault/schema.ts";
import { linkBytes } from "../../vault/trust.ts";
import { MistypedWord, VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";

/**
 * vault.json with other owners. Where one is new, the session's own key vouches for the new key by a link: whoever has
 * pinned the one follows to the other.
 *
 * @param next the session that signs: under the new owners.
 */
export function vaultWith(
  session: OwnerSession,
  next: OwnerSession,
  owners: readonly Owner[],
  added?: VerifyKey,
): VaultRecord {
  const { vault: _, serial: __, signatures: ___, ...kept } = session.vault.record;
  const links = added === undefined ? [] : [linkTo(session, session.signingKey, added)];
  const succession = [...kept.succession, ...links];
  requireRoom(owners, succession);
  return next.sign<VaultRecord>(VAULT_PATH, { ...kept, owners: [...owners], succession });
}

/** @throws {VaultError} `usage` for more than a reader takes. */
function requireRoom(owners: readonly Owner[], succession: VaultRecord["succession"]): void {
  if (owners.length > MAX_OWNERS) {
    throw new VaultError(
      "usage",
      `a vault has at most ${MAX_OWNERS} owners`,
      "remove one first: vault-run remove-owner NAME",
    );
  }
  if (succession.length > MAX_SUCCESSION_LINKS) {
    throw new VaultError(
      "usage",
      `the owners of this vault have had ${MAX_SUCCESSION_LINKS} new keys, and no reader takes more`,
      "make a new vault in another folder (vault-run init --vault DIR), and import what this one holds",
    );
  }
}

function linkTo(session: OwnerSession, key: SigningKey, to: VerifyKey): VaultRecord["succession"][number] {
  const link = { from: key.verifyKey, to, at: session.now };
  return { ...link, sig: key.sign(linkBytes(session.vault.id, link)) };
}

/** What an owner could read, once they are none any more: everything, since they were one. */
export function ownerExposure(vault: VaultRecord, { name, verifyKey }: Owner): OwnerExposure {
  const link = vault.succession.find((candidate) => candidate.to === verifyKey);
  return { owner: name, key: keyFingerprint(verifyKey), since: link?.at ?? vault.createdAt };
}

export function findOwner({ vault }: OwnerSession, name: string): Owner | undefined {
  return vault.record.owners.find((owner) => owner.name === name);
}

export function requireOwner(session: OwnerSession, name: string): Owner {
  const owner = findOwner(session, name);
  if (owner !== undefined) return owner;
  const { owners } = session.vault.record;
  throw new MistypedWord(
    "unknown-owner",
    `no owner of this name: ${name}`,
    "see the owners: vault-run owners",
    {
      word: name,
      choices: () => owners.map((known) => known.name),
    },
  );
}

import { VAULT_PATH } from "../../vault/paths.ts";
import type { Owner } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, Progress } from "../plan.ts";
import { ownerExposure, requireOwner, vaultWith } from "./owner-list.ts";
import { type WithoutOwner, withoutOwner } from "./without-owner.ts";

/** Takes an owner's key out of the vault, for good. */
export async function planRemoveOwner(
  session: OwnerSession,
  name: string,
  progress: Progress,
): Promise<WithoutOwner & { plan: Plan }> {
  const owner = requireRemovable(session, name);
  const owners = session.vault.record.owners.filter((candidate) => candidate !== owner);
  const next = session.under(owners, session.signingKey);
  const record = vaultWith(session, next, owners);
  const without = await withoutOwner(next, ownerExposure(session.vault.record, owner), progress);
  const writes = [{ path: VAULT_PATH, record }, ...without.writes];
  const secrets = without.exposed.map(({ group, name: secret, valueId }) => ({
    group,
    name: secret,
    valueId,
  }));
  const message = `vault-run: remove owner ${name}`;
  return { ...without, plan: { event: { action: "remove-owner", owner: name, secrets }, writes, message } };
}

/** @throws {VaultError} for the last owner, and for the one whose key this is: what it signs would count no more. */
export function requireRemovable(session: OwnerSession, name: string): Owner {
  const owner = requireOwner(session, name);
  if (session.vault.record.owners.length === 1) {
    throw new VaultError(
      "last-owner",
      `the only owner of this vault cannot be removed: ${name}`,
      "add another one first (vault-run add-owner); for a new key of yours: vault-run rekey --owner",
    );
  }
  if (owner === session.self) {
    throw new VaultError(
      "last-owner",
      `an owner cannot remove themselves, for nothing would count that they sign: ${name}`,
      `another owner can, with their key: vault-run remove-owner ${name}`,
    );
  }
  return owner;
}

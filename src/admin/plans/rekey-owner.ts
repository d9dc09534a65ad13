import { generateIdentity, recipientOf } from "../../age/generate.ts";
import { SigningKey } from "../../age/signing-key.ts";
import { formatKeyFile } from "../../vault/key-file.ts";
import { VAULT_PATH } from "../../vault/paths.ts";
import { signRecord } from "../../vault/record.ts";
import type { Owner } from "../../vault/schema.ts";
import { ownerKeys } from "../../vault/vault.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, Progress } from "../plan.ts";
import { ownerExposure, vaultWith } from "./owner-list.ts";
import { type WithoutOwner, withoutOwner } from "./without-owner.ts";

/**
 * A new key for the owner whose session this is, in place of one that others may have. The old key vouches for the new
 * one, so whoever pinned it follows; vault.json has the signatures of both.
 */
export async function planRekeyOwner(
  session: OwnerSession,
  progress: Progress,
): Promise<WithoutOwner & { plan: Plan; keyFile: string; owner: Owner }> {
  const { self, vault } = session;
  const identity = await generateIdentity(vault.suite);
  const key = SigningKey.derive(identity);
  const owner = { name: self.name, recipient: await recipientOf(identity), verifyKey: key.verifyKey };
  const owners = vault.record.owners.map((candidate) => (candidate === self ? owner : candidate));
  const next = session.under(owners, key);
  const byNew = vaultWith(session, next, owners, owner.verifyKey);
  const byOld = signRecord(byNew, session.signingKey);
  const record = { ...byNew, signatures: [...byOld.signatures, ...byNew.signatures] };
  const without = await withoutOwner(next, ownerExposure(session.vault.record, self), progress);
  const writes = [{ path: VAULT_PATH, record }, ...without.writes];
  const secrets = without.exposed.map(({ group, name, valueId }) => ({ group, name, valueId }));
  const pins = { vault: vault.id, owners: ownerKeys(record), createdAt: session.now };
  const keyFile = formatKeyFile(identity, pins);
  const message = `vault-run: rekey owner ${self.name}`;
  const plan: Plan = { event: { action: "rekey-owner", owner: self.name, secrets }, writes, message };
  return { ...without, plan, keyFile, owner };
}

import { generateIdentity, recipientOf } from "../../age/generate.ts";
import { suiteOf } from "../../age/identity.ts";
import { SigningKey } from "../../age/signing-key.ts";
import { formatKeyFile } from "../../vault/key-file.ts";
import { openGroup } from "../../vault/open-sealed.ts";
import { agentPath, groupPath, VAULT_PATH } from "../../vault/paths.ts";
import { encodeIdentity, groupContext } from "../../vault/payload.ts";
import type { GroupRecord, Owner } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import { agentRecord, openEscrow } from "../escrow.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import { sealPayload } from "../seal-payload.ts";
import { findOwner, vaultWith } from "./owner-list.ts";

/** A new owner: every group's identity and every escrow is sealed to them too, and our key vouches for theirs. */
export async function planAddOwner(session: OwnerSession, owner: Owner, progress: Progress): Promise<Plan> {
  requireNewOwner(session, owner);
  const owners = [...session.vault.record.owners, owner];
  const next = session.under(owners, session.signingKey);
  const groups = session.vault.groups();
  const agents = session.vault.agents();
  const total = groups.length + agents.length;
  const writes: PlannedWrite[] = [
    { path: VAULT_PATH, record: vaultWith(session, next, owners, owner.verifyKey) },
  ];
  for (const group of groups) {
    writes.push({ path: groupPath(group.name), record: await resealedGroup(next, group) });
    progress(writes.length - 1, total);
  }
  for (const agent of agents) {
    const { type: _, vault: __, serial: ___, signatures: ____, escrow: _____, ...fields } = agent;
    const record = await agentRecord(next, fields, await openEscrow(agent, session.identity));
    writes.push({ path: agentPath(agent.name), record });
    progress(writes.length - 1, total);
  }
  const message = `vault-run: add owner ${owner.name}`;
  return { event: { action: "add-owner", owner: owner.name }, writes, message };
}

/** The same identity and epoch: what is sealed to the group stays as it is. */
async function resealedGroup(next: OwnerSession, group: GroupRecord): Promise<GroupRecord> {
  const { vault: _, serial: __, signatures: ___, ...fields } = group;
  const identity = await openGroup(group, next.identity);
  const sealed = await sealPayload(encodeIdentity(groupContext(group), identity), next.ownerRecipients);
  return next.sign<GroupRecord>(groupPath(group.name), { ...fields, sealed });
}

/** An owner with a key made here, and the text of their key file. It pins all the owners, themselves among them. */
export async function newOwner(
  session: OwnerSession,
  name: string,
): Promise<{ owner: Owner; keyFile: string }> {
  const identity = await generateIdentity(session.vault.suite);
  const { verifyKey } = SigningKey.derive(identity);
  const owner = { name, recipient: await recipientOf(identity), verifyKey };
  const { id: vault, ownerKeys } = session.vault;
  const owners = { ...ownerKeys, current: [...ownerKeys.current, verifyKey] };
  return { owner, keyFile: formatKeyFile(identity, { vault, owners, createdAt: session.now }) };
}

/** @throws {VaultError} where one of that name or key is an owner, or where the key can be no owner's. */
export function requireNewOwner(session: OwnerSession, { name, recipient, verifyKey }: Owner): void {
  const { vault } = session;
  if (findOwner(session, name) !== undefined) {
    throw new VaultError(
      "exists",
      `there is an owner of this name already: ${name}`,
      "choose another name; for a new key of theirs: vault-run rekey --owner, with their old one",
    );
  }
  const known = vault.record.owners.find(
    (owner) => owner.recipient === recipient || owner.verifyKey === verifyKey,
  );
  if (known !== undefined) {
    throw new VaultError(
      "exists",
      `this key is an owner's already: ${known.name}`,
      "see the owners: vault-run owners",
    );
  }
  const former = [...vault.ownerKeys.former, ...(vault.pins.findOwners()?.former ?? [])];
  if (former.includes(verifyKey)) {
    throw new VaultError(
      "wrong-key",
      `this key was an owner's once and can never be one again: ${name}`,
      "make a new key for them: vault-run add-owner NAME --make-card",
    );
  }
  const agent = vault.agents().find((candidate) => candidate.verifyKey === verifyKey);
  if (agent !== undefined) {
    throw new VaultError(
      "wrong-key",
      `this is the key of agent ${agent.name}, and an owner needs one of their own: ${name}`,
      "make a new key for them: vault-run add-owner NAME --make-card",
    );
  }
  if (suiteOf(recipient) !== vault.suite) {
    throw new VaultError(
      "wrong-key",
      `this key is not of the vault's suite (${vault.suite}): ${name}`,
      "make a new key for them: vault-run add-owner NAME --make-card",
    );
  }
}

import { generateIdentity, recipientOf } from "../../age/generate.ts";
import type { Identity } from "../../age/identity.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { AgentName, GroupName } from "../../vault/names.ts";
import { openGroup, openSecret } from "../../vault/open-sealed.ts";
import { grantPath, groupPath, secretPath } from "../../vault/paths.ts";
import {
  encodeIdentity,
  encodeValue,
  grantContext,
  groupContext,
  secretContext,
} from "../../vault/payload.ts";
import type {
  AgentRecord,
  Exposure,
  GrantRecord,
  GrantTombstone,
  GroupRecord,
  OwnerExposure,
  SecretRecord,
} from "../../vault/schema.ts";
import { isPast, type Timestamp } from "../../vault/time.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { PlannedWrite, Progress } from "../plan.ts";
import { sealPayload } from "../seal-payload.ts";

export type GroupFields = Pick<GroupRecord, "name" | "epoch" | "createdAt" | "description" | "policy">;
export type GrantTimes = Pick<GrantRecord, "grantedAt" | "expiresAt">;
export type SecretFields = Omit<
  SecretRecord,
  "type" | "vault" | "serial" | "signatures" | "sealed" | "group" | "name" | "epoch"
>;

/** A group's record, its identity sealed to the owners. */
export async function groupRecord(
  session: OwnerSession,
  fields: GroupFields,
  identity: Identity,
): Promise<GroupRecord> {
  const context = groupContext({ ...fields, vault: session.vault.id });
  const sealed = await sealPayload(encodeIdentity(context, identity), session.ownerRecipients);
  return session.sign<GroupRecord>(groupPath(fields.name), {
    type: "group",
    ...fields,
    recipient: await recipientOf(identity),
    sealed,
  });
}

/** A grant: the group's identity sealed to one agent. */
export async function grantRecord(
  session: OwnerSession,
  agent: AgentRecord,
  group: GroupRecord,
  identity: Identity,
  times: GrantTimes,
): Promise<GrantRecord> {
  const names = { agent: agent.name, group: group.name, epoch: group.epoch };
  const context = grantContext({ ...names, vault: session.vault.id });
  const sealed = await sealPayload(encodeIdentity(context, identity), [agent.recipient]);
  return session.sign<GrantRecord>(grantPath(agent.name, group.name), {
    type: "grant",
    ...names,
    ...times,
    sealed,
  });
}

/** A secret's record, its value sealed to the group. */
export async function secretRecord(
  session: OwnerSession,
  group: GroupRecord,
  name: SecretRecord["name"],
  fields: SecretFields,
  value: Buffer,
): Promise<SecretRecord> {
  const names = { group: group.name, name, epoch: group.epoch };
  const context = secretContext({ ...names, vault: session.vault.id, valueId: fields.valueId });
  const sealed = await sealPayload(encodeValue(context, value), [group.recipient]);
  return session.sign<SecretRecord>(secretPath(group.name, name), {
    type: "secret",
    ...names,
    ...fields,
    sealed,
  });
}

export function grantTombstone(session: OwnerSession, agent: AgentName, group: GroupName): PlannedWrite {
  const path = grantPath(agent, group);
  const removedAt = session.now;
  return {
    path,
    record: session.sign<GrantTombstone>(path, { type: "tombstone", of: "grant", agent, group, removedAt }),
  };
}

interface Grantee {
  readonly agent: AgentRecord;
  readonly grant: GrantRecord;
}

/** Whose key loses a group: it opens nothing that is sealed from now on, and could have read what was. */
export interface Leaver {
  /** An agent that is taken out of the group. */
  readonly removed?: AgentName;
  /** The new record of an agent that stays in the group with another key. */
  readonly rekeyed?: AgentRecord;
  /** An owner who is one no more, and since when they were. */
  readonly owner?: OwnerExposure;
}

/**
 * Gives a group a new identity, sealed to the owners and to every agent that remains; every secret is sealed again to it,
 * its value and value id as they were, with who could have read it noted. Agents whose grant has expired leave with it.
 */
export async function replaceGroupKey(
  session: OwnerSession,
  name: GroupName,
  leaver: Leaver,
  progress: Progress,
): Promise<{ writes: PlannedWrite[]; exposed: SecretRecord[] }> {
  const old = session.vault.group(name);
  const oldIdentity = await openGroup(old, session.identity);
  const identity = await generateIdentity(session.vault.suite);
  const { createdAt, description, policy } = old;
  const group = await groupRecord(
    session,
    { name, epoch: old.epoch + 1, createdAt, policy, ...given({ description }) },
    identity,
  );
  const grantees = session.vault.grantees(name);
  const leaves = ({ agent, grant }: Grantee) =>
    agent.name === leaver.removed || isExpired(grant, session.nowMs);
  const leaving = grantees.filter(leaves);
  const remaining = grantees.filter((grantee) => !leaves(grantee));
  const isRekeyed = ({ agent }: Grantee) => agent.name === leaver.rekeyed?.name;
  const secrets = session.vault.secrets(name);
  const total = 1 + grantees.length + secrets.length;
  const writes: PlannedWrite[] = [{ path: groupPath(name), record: group }];
  for (const grantee of remaining) {
    const { agent, grant } = grantee;
    const grantedAt = isRekeyed(grantee) ? session.now : grant.grantedAt;
    const recipient = isRekeyed(grantee) ? (leaver.rekeyed ?? agent) : agent;
    const times = { grantedAt, ...given({ expiresAt: grant.expiresAt }) };
    writes.push({
      path: grantPath(agent.name, name),
      record: await grantRecord(session, recipient, group, identity, times),
    });
    progress(writes.length, total);
  }
  const readers: Exposure[] = grantees
    .filter((grantee) => leaves(grantee) || isRekeyed(grantee))
    .map(readerOf);
  if (leaver.owner !== undefined) readers.push(leaver.owner);
  const exposed: SecretRecord[] = [];
  for (const secret of secrets) {
    using value = await openSecret(secret, oldIdentity);
    const fields = { ...keptFields(secret), exposedTo: withExposures(secret, readers) };
    const record = await secretRecord(session, group, secret.name, fields, value.bytes());
    writes.push({ path: secretPath(name, secret.name), record });
    exposed.push(record);
    progress(writes.length, total);
  }
  for (const { agent } of leaving) writes.push(grantTombstone(session, agent.name, name));
  progress(writes.length, total);
  return { writes, exposed };
}

/** Optional fields as records hold them: there, or not. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** What a secret keeps when its value is sealed again. */
export function keptFields(secret: SecretRecord): SecretFields {
  const { valueId, setAt, expiresAt, description, env, deliver, unsafeName, exposedTo } = secret;
  return { valueId, setAt, deliver, exposedTo, ...given({ expiresAt, description, env, unsafeName }) };
}

function isExpired(grant: GrantRecord, nowMs: number): boolean {
  return grant.expiresAt !== undefined && isPast(grant.expiresAt, nowMs);
}

/** By the key that the agent has had so far: where it gets a new one, the old one is meant. */
function readerOf({ agent, grant }: Grantee): Exposure {
  return { agent: agent.name, key: keyFingerprint(agent.verifyKey), since: grant.grantedAt };
}

function withExposures(secret: SecretRecord, readers: readonly Exposure[]): Exposure[] {
  const known = new Set(secret.exposedTo.map((exposure) => exposure.key));
  const added = readers.filter((reader) => !known.has(reader.key));
  // Readable from the later of the two: the reader's access, and the value's own beginning.
  return [
    ...secret.exposedTo,
    ...added.map((reader) => ({ ...reader, since: later(reader.since, secret.setAt) })),
  ];
}

export function later(a: Timestamp, b: Timestamp): Timestamp {
  return a > b ? a : b;
}

import { generateIdentity, recipientOf } from "../../age/generate.ts";
import type { Identity } from "../../age/identity.ts";
import { seal } from "../../age/seal.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { GroupName } from "../../vault/names.ts";
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
  GroupRecord,
  SecretRecord,
  Unsigned,
} from "../../vault/schema.ts";
import type { Timestamp } from "../../vault/time.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { PlannedWrite, Progress } from "../plan.ts";

type NewRecord<R extends GroupRecord | GrantRecord | SecretRecord> = Omit<Unsigned<R>, "serial">;

/** A group's record with its identity sealed to the owners. */
export async function groupWrite(
  session: OwnerSession,
  fields: Omit<NewRecord<GroupRecord>, "sealed" | "type" | "vault" | "recipient">,
  identity: Identity,
): Promise<PlannedWrite & { record: GroupRecord }> {
  const vault = session.vault.id;
  const recipient = await recipientOf(identity);
  const context = groupContext({ vault, name: fields.name, epoch: fields.epoch });
  const sealed = await seal(encodeIdentity(context, identity), session.ownerRecipients);
  const record = { ...fields, type: "group" as const, recipient, sealed: sealed.toString("base64") };
  return session.write<Unsigned<GroupRecord>>(groupPath(fields.name), record) as PlannedWrite & {
    record: GroupRecord;
  };
}

/** A grant: the group's identity sealed to one agent. */
export async function grantWrite(
  session: OwnerSession,
  agent: AgentRecord,
  group: Pick<GroupRecord, "name" | "epoch">,
  identity: Identity,
  times: { grantedAt: Timestamp; expiresAt?: Timestamp },
): Promise<PlannedWrite> {
  const names = { vault: session.vault.id, agent: agent.name, group: group.name, epoch: group.epoch };
  const sealed = await seal(encodeIdentity(grantContext(names), identity), [agent.recipient]);
  const { vault: _, ...fields } = names;
  const record = { type: "grant" as const, ...fields, ...times, sealed: sealed.toString("base64") };
  return session.write<Unsigned<GrantRecord>>(grantPath(agent.name, group.name), record);
}

/**
 * Takes agents out of a group: a new group identity, sealed to the owners and to every agent that remains; every secret
 * sealed again to it, its value and value id as they were, with who could have read it noted.
 */
export async function replaceGroupKey(
  session: OwnerSession,
  name: GroupName,
  removed: readonly AgentRecord[],
  progress: Progress,
): Promise<{ writes: PlannedWrite[]; exposed: SecretRecord[] }> {
  const { vault } = session;
  const old = vault.group(name);
  const grantees = vault.grantees(name);
  const remaining = grantees.filter(({ agent }) => !removed.some((gone) => gone.name === agent.name));
  const leaving = grantees.filter(({ agent }) => removed.some((gone) => gone.name === agent.name));
  const secrets = vault.secrets(name);
  const total = 1 + remaining.length + secrets.length;
  const oldIdentity = await openGroup(old, session.identity);
  const identity = await generateIdentity(vault.suite);
  const {
    type: _,
    vault: __,
    serial: ___,
    signatures: ____,
    sealed: _____,
    recipient: ______,
    ...kept
  } = old;
  const group = await groupWrite(session, { ...kept, epoch: old.epoch + 1 }, identity);
  const writes: PlannedWrite[] = [group];
  progress(1, total);
  for (const { agent, grant } of remaining) {
    const times = {
      grantedAt: grant.grantedAt,
      ...(grant.expiresAt === undefined ? {} : { expiresAt: grant.expiresAt }),
    };
    writes.push(await grantWrite(session, agent, group.record, identity, times));
    progress(writes.length, total);
  }
  const exposed: SecretRecord[] = [];
  for (const secret of secrets) {
    const exposedTo = withExposures(secret, leaving);
    using value = await openSecret(secret, oldIdentity);
    const write = await secretWrite(
      session,
      { ...secret, epoch: group.record.epoch, exposedTo },
      group.record,
      value.bytes(),
    );
    writes.push(write);
    exposed.push(write.record);
    progress(writes.length, total);
  }
  return { writes, exposed };
}

/** A secret's record with its value sealed to the group. */
export async function secretWrite(
  session: OwnerSession,
  fields: Omit<NewRecord<SecretRecord>, "sealed" | "vault">,
  group: Pick<GroupRecord, "recipient">,
  value: Buffer,
): Promise<PlannedWrite & { record: SecretRecord }> {
  const context = secretContext({ ...fields, vault: session.vault.id });
  const plaintext = encodeValue(context, value);
  const sealed = await seal(plaintext, [group.recipient]);
  plaintext.fill(0);
  const record = { ...fields, sealed: sealed.toString("base64") };
  return session.write<Unsigned<SecretRecord>>(
    secretPath(fields.group, fields.name),
    record,
  ) as PlannedWrite & { record: SecretRecord };
}

function withExposures(
  secret: SecretRecord,
  leaving: readonly { agent: AgentRecord; grant: GrantRecord }[],
): Exposure[] {
  const exposures = [...secret.exposedTo];
  for (const { agent, grant } of leaving) {
    const key = keyFingerprint(agent.verifyKey);
    if (exposures.some((exposure) => exposure.agent === agent.name && exposure.key === key)) continue;
    // Readable from the later of the two: the grant, and the value's own beginning.
    // biome-ignore lint/complexity/useMathMinMax: timestamps compare as strings
    const since = grant.grantedAt > secret.setAt ? grant.grantedAt : secret.setAt;
    exposures.push({ agent: agent.name, key, since });
  }
  return exposures;
}

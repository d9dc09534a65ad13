import { generateIdentity } from "../../age/generate.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { AgentName, GroupName } from "../../vault/names.ts";
import { agentPath, grantPath, groupPath, type RecordPath, secretPath } from "../../vault/paths.ts";
import { sealedBytes } from "../../vault/payload.ts";
import type { AgentRecord, Exposure, OwnerExposure, SecretRecord, SignedRecord } from "../../vault/schema.ts";
import { isPast, type Timestamp } from "../../vault/time.ts";
import { countStanzas } from "../check/sealed.ts";
import { agentRecord, openEscrow } from "../escrow.ts";
import type { FormerOwners } from "../former-owners.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import {
  given,
  grantRecord,
  grantTombstone,
  groupRecord,
  keptFields,
  later,
  secretRecord,
} from "../plans/group-key.ts";
import { type Rivals, union } from "./decide.ts";
import { decide, verifySides } from "./decisions.ts";
import { type GroupKeys, isForAgent, isOutOfStep, type MergedGroup, mergedGroups } from "./group-keys.ts";
import type { Conflict } from "./sides.ts";

// A merge of two vaults, finished in four steps:
//   1. each record that both sides changed is decided on (decide.ts)
//   2. grants of agents that are not there any more are taken away
//   3. escrows and groups that are sealed to others than the owners there are now are sealed again
//   4. each group of which anything is sealed under a key that is not its one current key, or of which a side gave the key to
//      an agent's key that is not kept, or which got another key on each side, gets a fresh key, which only the readers that
//      remain get; every value in it is sealed again, with who could have read it noted
// Steps 2 to 4 look at the whole vault: what git merged without a conflict can be wrong in meaning all the same.

/** What a merge is planned from. */
export interface Merge {
  /** The owner's view of the vault with the later version of each conflict in its place. */
  readonly session: OwnerSession;
  readonly conflicts: ReadonlyMap<RecordPath, Conflict>;
  readonly keys: GroupKeys;
  /** Whether the sides have other owners: then each sealed what it made to its own. */
  readonly ownersDiffer: boolean;
  readonly formerOwners: FormerOwners;
  /** Who ever held a key under which this value was sealed. */
  readonly readersOf: (secret: SecretRecord) => Promise<readonly Exposure[]>;
  readonly chooseOlder: (rivals: Rivals) => Promise<boolean>;
}

export interface Resolution {
  /** Undefined where there is nothing to do. */
  readonly plan: Plan | undefined;
  /** What the merge dropped or chose. */
  readonly notes: readonly string[];
  /** Groups that get a fresh key. */
  readonly rekeyed: readonly GroupName[];
}

export async function planResolve(merge: Merge, progress: Progress): Promise<Resolution> {
  const { session, conflicts } = merge;
  const records = new Map(session.vault.readAll());
  const writes = new Map<RecordPath, PlannedWrite>();
  const put = (path: RecordPath, record: SignedRecord) => {
    writes.set(path, { path, record });
    records.set(path, record);
  };
  const notes: string[] = [];
  // Whose key an agent got on one side and is not to have; or that got a key on each, neither side knowing whom the other had
  // given the one before.
  const lost = new Set<GroupName>();
  for (const [path, conflict] of conflicts) {
    if (path === "vault.json") continue;
    verifySides(path, conflict, (side) => session.vault.isSigned(side));
    const { record, note } = await decide(path, conflict, merge.chooseOlder);
    for (const side of [conflict.ours, conflict.theirs])
      if (side.type === "grant" && record.type === "tombstone") lost.add(side.group);
    const { ours, theirs } = conflict;
    if (ours.type === "group" && theirs.type === "group" && ours.recipient !== theirs.recipient)
      lost.add(ours.name);
    put(path, signAgain(session, path, record));
    if (note !== undefined) notes.push(note);
  }
  for (const { ours, theirs } of conflicts.values())
    for (const grant of [ours, theirs])
      if (grant.type === "grant" && !(await isForAgent(grant, records, session.identity)))
        lost.add(grant.group);
  for (const [agent, group] of orphanedGrants(records)) {
    put(grantPath(agent, group), grantTombstone(session, agent, group).record);
    lost.add(group);
    notes.push(`${agent} is not there any more: its grant of ${group} is revoked`);
  }
  for (const record of [...records.values()]) {
    if (record.type !== "agent") continue;
    const former = merge.formerOwners(record);
    const isForOwners = former.length === 0 && isForAllOwners(session, record.escrow);
    if (merge.ownersDiffer || !isForOwners)
      put(agentPath(record.name), await resealEscrow(session, record, former, knownFormerOwners(records)));
  }
  const rekeyed: GroupName[] = [];
  for (const merged of mergedGroups(records)) {
    const { group } = merged;
    const isLost = merge.ownersDiffer || lost.has(group.name) || merge.formerOwners(group).length > 0;
    if (!isLost && !(await isOutOfStep(merged, merge.keys, session))) continue;
    const fresh = await freshKey(merge, merged, progress);
    for (const write of fresh) put(write.path, write.record);
    rekeyed.push(group.name);
  }
  return { plan: planOf([...writes.values()], rekeyed), notes, rekeyed };
}

function isForAllOwners(session: OwnerSession, sealed: string): boolean {
  return countStanzas(sealedBytes(sealed)) === session.ownerRecipients.length;
}

function planOf(writes: readonly PlannedWrite[], rekeyed: readonly GroupName[]): Plan | undefined {
  if (writes.length === 0) return undefined;
  const secrets = writes.flatMap(({ record }) =>
    record.type === "secret" ? [{ group: record.group, name: record.name, valueId: record.valueId }] : [],
  );
  const what = rekeyed.length === 0 ? "" : `, fresh keys for ${rekeyed.join(" ")}`;
  return { event: { action: "resolve", secrets }, writes, message: `vault-run: resolve a merge${what}` };
}

function signAgain(session: OwnerSession, path: RecordPath, record: SignedRecord): SignedRecord {
  const { vault: _, serial: __, signatures: ___, ...fields } = record;
  return session.sign<SignedRecord>(path, fields as Omit<SignedRecord, "vault" | "serial" | "signatures">);
}

function orphanedGrants(records: ReadonlyMap<RecordPath, SignedRecord>): [AgentName, GroupName][] {
  return [...records.values()].flatMap((record) =>
    record.type === "grant" && records.get(agentPath(record.agent))?.type !== "agent"
      ? [[record.agent, record.group] as [AgentName, GroupName]]
      : [],
  );
}

/**
 * An escrow that more than the owners can open was made where one was an owner who was removed on the other side.
 *
 * @param former whom it was sealed to, as far as history tells. @param known of whom one of them was, where it does not.
 */
async function resealEscrow(
  session: OwnerSession,
  record: AgentRecord,
  former: readonly OwnerExposure[],
  known: readonly OwnerExposure[],
): Promise<SignedRecord> {
  const { type: _, vault: __, serial: ___, signatures: ____, escrow: _____, ...fields } = record;
  const isOpenToMore = countStanzas(sealedBytes(record.escrow)) > session.ownerRecipients.length;
  const readers = former.length === 0 && isOpenToMore ? known : former;
  const exposedTo = union(
    record.exposedTo ?? [],
    readers.map((owner) => since(owner, record.createdAt)),
  );
  const exposure = exposedTo.length === 0 ? {} : { exposedTo };
  return agentRecord(session, { ...fields, ...exposure }, await openEscrow(record, session.identity));
}

/** The owners who were removed, as agents' records name them: rather one too many than one too few. */
function knownFormerOwners(records: ReadonlyMap<RecordPath, SignedRecord>): OwnerExposure[] {
  const agents = [...records.values()].filter((record) => record.type === "agent");
  return agents.reduce<OwnerExposure[]>((all, { exposedTo = [] }) => union(all, exposedTo), []);
}

function since<E extends Exposure>(exposure: E, begin: Timestamp): E {
  return { ...exposure, since: later(exposure.since, begin) };
}

/** A fresh identity for the group, above every epoch in play, for the owners and the agents that remain. */
async function freshKey(
  { session, keys, readersOf }: Merge,
  { group: old, grants, secrets }: MergedGroup,
  progress: Progress,
): Promise<PlannedWrite[]> {
  const { vault, nowMs } = session;
  const identity = await generateIdentity(vault.suite);
  const epochs = [old, ...secrets, ...grants.map(({ grant }) => grant)].map(({ epoch }) => epoch);
  const { name, createdAt, description, policy } = old;
  const fields = { name, epoch: Math.max(...epochs) + 1, createdAt, policy, ...given({ description }) };
  const group = await groupRecord(session, fields, identity);
  const total = 1 + grants.length + secrets.length;
  const writes: PlannedWrite[] = [{ path: groupPath(name), record: group }];
  const remaining = grants.filter(
    ({ grant }) => grant.expiresAt === undefined || !isPast(grant.expiresAt, nowMs),
  );
  for (const entry of grants) {
    const { agent, grant } = entry;
    const times = { grantedAt: grant.grantedAt, ...given({ expiresAt: grant.expiresAt }) };
    writes.push(
      remaining.includes(entry)
        ? {
            path: grantPath(agent.name, name),
            record: await grantRecord(session, agent, group, identity, times),
          }
        : grantTombstone(session, agent.name, name),
    );
    progress(writes.length, total);
  }
  const readers = new Set(
    [...remaining.map(({ agent }) => agent.verifyKey), ...vault.owners].map(keyFingerprint),
  );
  for (const secret of secrets) {
    using value = await keys.open(secret, old);
    const former = (await readersOf(secret)).filter(({ key }) => !readers.has(key));
    const exposedTo = union(secret.exposedTo, former);
    const record = await secretRecord(
      session,
      group,
      secret.name,
      { ...keptFields(secret), exposedTo },
      value.bytes(),
    );
    writes.push({ path: secretPath(name, secret.name), record });
    progress(writes.length, total);
  }
  return writes;
}

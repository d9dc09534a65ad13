import type { Recipient } from "../age/identity.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import type { AgentName } from "../vault/names.ts";
import { agentPath, groupPath, type RecordPath, VAULT_PATH } from "../vault/paths.ts";
import type {
  AgentRecord,
  GrantRecord,
  GroupRecord,
  OwnerExposure,
  SecretRecord,
  SignedRecord,
} from "../vault/schema.ts";
import type { Timestamp } from "../vault/time.ts";
import type { PastRecord } from "./past-records.ts";
import { later } from "./plans/group-key.ts";
import { ownerExposure } from "./plans/owner-list.ts";

// Who could open a past version of a secret: whoever was ever granted the group's key that it is sealed to, before or
// after, for a clone keeps what was pushed. Neither a secret nor a grant says which key that is but by its epoch, and on
// two branches one epoch can have two keys; the group's record in the same commit tells. Where that is of another epoch (a
// change that was committed in pieces), every key that the group had in the epoch is meant: rather one reader too many.

/** An agent, by the key that it had, and since when it could read. */
export interface Holder {
  readonly agent: AgentName;
  /** The fingerprint of its verify key. */
  readonly key: string;
  readonly since: Timestamp;
}

/** What stood in the same vault in the same commit; undefined where nothing that an owner signed did. */
export type Beside = (past: PastRecord, path: RecordPath) => SignedRecord | undefined;

type Past<R extends SignedRecord> = PastRecord & { readonly record: R };

/**
 * For each version of a secret among `past`, who held the key that it is sealed to.
 *
 * @param past verified versions of one group's record, of its secrets, of all grants of it and of the agents' records, each
 * with every commit that has it.
 */
export function holdersOf(past: readonly PastRecord[], beside: Beside): Map<PastRecord, readonly Holder[]> {
  const groups = of<GroupRecord>(past, "group").map(({ record }) => record);
  const agents = of<AgentRecord>(past, "agent").map(({ record }) => record);
  const keysOf = (made: Past<GrantRecord | SecretRecord>) => groupKeys(made, groups, beside);
  const granted = new Map<Recipient, Holder[]>();
  for (const grant of of<GrantRecord>(past, "grant")) {
    const holders = granteesOf(grant, agents, beside);
    for (const key of keysOf(grant)) granted.set(key, [...(granted.get(key) ?? []), ...holders]);
  }
  return new Map(
    of<SecretRecord>(past, "secret").map((secret) => {
      const holders = keysOf(secret).flatMap((key) => granted.get(key) ?? []);
      return [secret, earliest(holders.map((holder) => readingSince(holder, secret.record.setAt)))];
    }),
  );
}

/**
 * The same for owners, of that time and of today: whoever was an owner when a version of the group's record was made held
 * the key that is sealed in it.
 */
export function ownersHolding(
  past: readonly PastRecord[],
  beside: Beside,
): Map<PastRecord, readonly OwnerExposure[]> {
  const groups = of<GroupRecord>(past, "group");
  const held = new Map<Recipient, OwnerExposure[]>();
  for (const group of groups) {
    const { recipient } = group.record;
    held.set(recipient, [...(held.get(recipient) ?? []), ...ownersOf(beside(group, VAULT_PATH))]);
  }
  const records = groups.map(({ record }) => record);
  return new Map(
    of<SecretRecord>(past, "secret").map((secret) => {
      const owners = groupKeys(secret, records, beside).flatMap((key) => held.get(key) ?? []);
      return [secret, earliest(owners.map((owner) => readingSince(owner, secret.record.setAt)))];
    }),
  );
}

export function ownersOf(vault: SignedRecord | undefined): OwnerExposure[] {
  return vault?.type === "vault" ? vault.owners.map((owner) => ownerExposure(vault, owner)) : [];
}

function of<R extends SignedRecord>(past: readonly PastRecord[], type: R["type"]): Past<R>[] {
  return past.filter((version): version is Past<R> => version.record.type === type);
}

function groupKeys(
  made: Past<GrantRecord | SecretRecord>,
  groups: readonly GroupRecord[],
  beside: Beside,
): Recipient[] {
  const { group, epoch } = made.record;
  const own = beside(made, groupPath(group));
  if (own?.type === "group" && own.epoch === epoch) return [own.recipient];
  return [...new Set(groups.filter((record) => record.epoch === epoch).map((record) => record.recipient))];
}

/** By the key that the agent had then; where the commit does not say, by every one it ever had. */
function granteesOf(grant: Past<GrantRecord>, agents: readonly AgentRecord[], beside: Beside): Holder[] {
  const { agent: name, grantedAt } = grant.record;
  const own = beside(grant, agentPath(name));
  const records = own?.type === "agent" ? [own] : agents.filter((record) => record.name === name);
  return records.map(({ verifyKey }) => ({ agent: name, key: keyFingerprint(verifyKey), since: grantedAt }));
}

function readingSince<R extends { readonly since: Timestamp }>(reader: R, setAt: Timestamp): R {
  return { ...reader, since: later(reader.since, setAt) };
}

/** Each key once, since it could first read. */
export function earliest<R extends { readonly key: string; readonly since: Timestamp }>(
  readers: readonly R[],
): R[] {
  const found = new Map<string, R>();
  for (const reader of readers) {
    const known = found.get(reader.key);
    if (known === undefined || reader.since < known.since) found.set(reader.key, reader);
  }
  return [...found.values()];
}

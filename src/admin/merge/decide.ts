import type {
  AgentRecord,
  AgentTombstone,
  AllowRecord,
  Exposure,
  GrantRecord,
  GrantTombstone,
  GroupRecord,
  OwnerExposure,
  SecretRecord,
  SecretTombstone,
} from "../../vault/schema.ts";
import type { Timestamp } from "../../vault/time.ts";
import { given } from "../plans/group-key.ts";

// What two changed versions of one record become. Pure: records in, a record out, which its caller signs again where it
// is neither side's. Taking access away wins over giving it, a value is never lost where one side still wants the
// secret, and what a merge drops is said.

/** The version that both sides began from, where there was one, and theirs. */
export interface Sides<R> {
  readonly base: R | undefined;
  readonly ours: R;
  readonly theirs: R;
}

export interface Decision<R> {
  readonly record: R;
  /** What is to be said: something that one side had is not there any more, or was chosen between. */
  readonly note?: string;
}

type Secret = SecretRecord | SecretTombstone;
type Grant = GrantRecord | GrantTombstone;
type Agent = AgentRecord | AgentTombstone;

/** Two values for one secret, set without knowing of each other. */
export interface Rivals {
  readonly newer: SecretRecord;
  readonly older: SecretRecord;
}

/** @param chooseOlder asked where both sides set a value: whether the older one is wanted. */
export async function decideSecret(
  sides: Sides<Secret>,
  chooseOlder: (rivals: Rivals) => Promise<boolean>,
): Promise<Decision<Secret>> {
  const { base, ours, theirs } = sides;
  if (ours.type === "secret" && theirs.type === "secret") return decideValue(base, ours, theirs, chooseOlder);
  const live = ours.type === "secret" ? ours : theirs;
  const removed = ours.type === "secret" ? theirs : ours;
  if (live.type !== "secret") return { record: later(ours, theirs) };
  const name = `${live.group}/${live.name}`;
  const wasSet = !isSameSetting(base, live);
  // Who set a new value wants the secret; who only sealed the old one again had no say about it.
  if (wasSet) return { record: live, note: `${name} was removed on one side and set on the other: it stays` };
  return { record: removed, note: `${name} was removed on one side: it is removed` };
}

async function decideValue(
  base: Secret | undefined,
  ours: SecretRecord,
  theirs: SecretRecord,
  chooseOlder: (rivals: Rivals) => Promise<boolean>,
): Promise<Decision<Secret>> {
  if (ours.valueId === theirs.valueId) {
    const exposedTo = union(ours.exposedTo, theirs.exposedTo);
    return { record: { ...described(base, ours, theirs), exposedTo } };
  }
  if (isSameSetting(base, ours)) return { record: theirs };
  if (isSameSetting(base, theirs)) return { record: ours };
  const [older, newer] = ours.setAt < theirs.setAt ? [ours, theirs] : [theirs, ours];
  const isOlderWanted = await chooseOlder({ newer, older });
  const kept = isOlderWanted ? older : newer;
  const name = `${kept.group}/${kept.name}`;
  const which = kept === newer ? "newer" : "older";
  const note = `${name} was set on both sides: the ${which} value, set ${shown(kept.setAt)}, stays; the other is in git's history (vault-run history ${name})`;
  return { record: kept, note };
}

/** A rollback sets an old value, with its old id, anew: when it was set tells. */
function isSameSetting(base: Secret | undefined, secret: SecretRecord): boolean {
  return base?.type === "secret" && base.valueId === secret.valueId && base.setAt === secret.setAt;
}

/** The later record, with what either side says of the secret: the other may only have sealed it again. */
function described(base: Secret | undefined, ours: SecretRecord, theirs: SecretRecord): SecretRecord {
  const before = base?.type === "secret" ? base : undefined;
  const last = later(ours, theirs);
  const { description: _, env: __, expiresAt: ___, unsafeName: ____, ...rest } = last;
  const picked = <K extends keyof SecretRecord>(key: K) =>
    pick(before?.[key], ours[key], theirs[key], last[key]);
  const [description, env, expiresAt] = [picked("description"), picked("env"), picked("expiresAt")];
  const unsafeName = picked("unsafeName");
  const deliver = picked("deliver") ?? last.deliver;
  return { ...rest, deliver, ...given({ description, env, expiresAt, unsafeName }) };
}

export function decideGrant({ base, ours, theirs }: Sides<Grant>): Decision<Grant> {
  if (ours.type === "grant" && theirs.type === "grant") {
    const record = later(ours, theirs);
    const before = base?.type === "grant" ? base : undefined;
    const expiresAt = decideExpiry(before?.expiresAt, ours.expiresAt, theirs.expiresAt);
    const { expiresAt: _, ...rest } = record;
    return { record: expiresAt === undefined ? rest : { ...rest, expiresAt } };
  }
  const removed = ours.type === "grant" ? theirs : ours;
  const live = ours.type === "grant" ? ours : theirs;
  if (live.type !== "grant") return { record: later(ours, theirs) };
  const note = `${live.group} was revoked from ${live.agent} on one side and granted on the other: it is revoked`;
  return base?.type === "grant" && base.grantedAt === live.grantedAt
    ? { record: removed }
    : { record: removed, note };
}

/** Where both sides changed it, the one that ends first. */
function decideExpiry(
  base: Timestamp | undefined,
  ours: Timestamp | undefined,
  theirs: Timestamp | undefined,
): Timestamp | undefined {
  if (ours === theirs || theirs === base) return ours;
  if (ours === base) return theirs;
  if (ours === undefined || theirs === undefined) return ours ?? theirs;
  return ours < theirs ? ours : theirs;
}

export function decideAgent({ base, ours, theirs }: Sides<Agent>): Decision<Agent> {
  if (ours.type === "agent" && theirs.type === "agent") {
    const exposed = (record: AgentRecord) => withExposures(record, base, ours, theirs);
    if (ours.verifyKey === theirs.verifyKey) return { record: exposed(later(ours, theirs)) };
    const before = base?.type === "agent" ? base.verifyKey : undefined;
    if (ours.verifyKey === before) return { record: exposed(theirs) };
    if (theirs.verifyKey === before) return { record: exposed(ours) };
    const record = exposed(ours.createdAt < theirs.createdAt ? theirs : ours);
    const note = `agent ${record.name} was given a key on both sides: the one made ${shown(record.createdAt)} stays, the other key file opens nothing from now on`;
    return { record, note };
  }
  const removed = ours.type === "agent" ? theirs : ours;
  const live = ours.type === "agent" ? ours : theirs;
  // By what both say, so that it comes out alike whoever merges.
  if (live.type !== "agent")
    return { record: live.removedAt > (removed as AgentTombstone).removedAt ? live : removed };
  return {
    record: removed,
    note: `agent ${live.name} was removed on one side and changed on the other: it is removed`,
  };
}

/** A key that is new on one side was in escrow for those who were owners there and are removed on the other. */
function withExposures(
  record: AgentRecord,
  base: Agent | undefined,
  ours: AgentRecord,
  theirs: AgentRecord,
): AgentRecord {
  const known = base?.type === "agent" ? (base.exposedTo ?? []) : [];
  const isNew = ({ key }: OwnerExposure) => !known.some((exposure) => exposure.key === key);
  const sides = union(ours.exposedTo ?? [], theirs.exposedTo ?? []);
  const exposedTo = union(record.exposedTo ?? [], sides.filter(isNew));
  return exposedTo.length === 0 ? record : { ...record, exposedTo };
}

/** The record's own fields; its identity, epoch and what is sealed are made anew (group-keys.ts). */
export function decideGroup({ base, ours, theirs }: Sides<GroupRecord>): Decision<GroupRecord> {
  // Of the higher epoch, so that what gets a fresh key goes above both.
  const last = ours.epoch === theirs.epoch ? later(ours, theirs) : ours.epoch > theirs.epoch ? ours : theirs;
  const description = pick(base?.description, ours.description, theirs.description, last.description);
  const { description: _, ...rest } = last;
  const record = { ...rest, policy: decidePolicy(base?.policy ?? {}, ours.policy, theirs.policy) };
  return { record: description === undefined ? record : { ...record, description } };
}

/** What either side added, without what either took out. */
export function decideAllow({ base, ours, theirs }: Sides<AllowRecord>): Decision<AllowRecord> {
  const before = new Set(base?.entries.map(({ fingerprint }) => fingerprint));
  const has = (of: AllowRecord, fingerprint: string) =>
    of.entries.some((entry) => entry.fingerprint === fingerprint);
  const all = [...ours.entries, ...theirs.entries.filter(({ fingerprint }) => !has(ours, fingerprint))];
  const entries = all
    .filter(
      ({ fingerprint }) => !before.has(fingerprint) || (has(ours, fingerprint) && has(theirs, fingerprint)),
    )
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  return { record: { ...later(ours, theirs), entries } };
}

type Policy = GroupRecord["policy"];

/** Where both sides changed a rule, what both allow. */
function decidePolicy(base: Policy, ours: Policy, theirs: Policy): Policy {
  const reveal = pick(
    base.reveal,
    ours.reveal,
    theirs.reveal,
    ours.reveal === true && theirs.reveal === true,
  );
  const commands = pick(
    base.commands,
    ours.commands,
    theirs.commands,
    common(ours.commands, theirs.commands),
  );
  const origins = pick(base.origins, ours.origins, theirs.origins, common(ours.origins, theirs.origins));
  return {
    ...(reveal === undefined ? {} : { reveal }),
    ...(commands === undefined ? {} : { commands }),
    ...(origins === undefined ? {} : { origins }),
  };
}

/** The side that changed; `both` where both did, each otherwise. */
function pick<T>(base: T | undefined, ours: T, theirs: T, both: T): T {
  const same = (a: T | undefined, b: T | undefined) => JSON.stringify(a) === JSON.stringify(b);
  if (same(ours, theirs) || same(theirs, base)) return ours;
  return same(ours, base) ? theirs : both;
}

function common<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): T[] {
  const texts = new Set((b ?? []).map((element) => JSON.stringify(element)));
  return (a ?? []).filter((element) => texts.has(JSON.stringify(element)));
}

export function union<E extends Exposure>(a: readonly E[], b: readonly E[]): E[] {
  const known = new Set(a.map(({ key }) => key));
  return [...a, ...b.filter(({ key }) => !known.has(key))];
}

/** The one that was signed last. */
export function later<R extends { readonly serial: number }>(a: R, b: R): R {
  return a.serial > b.serial ? a : b;
}

function shown(time: Timestamp): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}

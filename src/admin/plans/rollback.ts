import { keyFingerprint } from "../../vault/fingerprint.ts";
import { formatRef, type SecretRef } from "../../vault/names.ts";
import { secretPath } from "../../vault/paths.ts";
import type { Exposure, SecretRecord } from "../../vault/schema.ts";
import type { Secret } from "../../vault/secret.ts";
import { isPast } from "../../vault/time.ts";
import { VaultError } from "../../vault-error.ts";
import type { GroupHistory } from "../group-history.ts";
import { earliest, holdersOf, ownersHolding } from "../key-holders.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";
import type { SecretHistory, SignedVersion } from "../secret-history.ts";
import { given, type SecretFields, secretRecord } from "./group-key.ts";

/** A version whose value can be set again. */
export type ValueVersion = SignedVersion & { readonly record: SecretRecord };

/** The version of that number. @throws {VaultError} where there is none, or none with a value that an owner vouches for. */
export function versionToSet(ref: SecretRef, { versions }: SecretHistory, number: number): ValueVersion {
  const place = formatRef(ref);
  const see = `see them with vault-run history ${place}`;
  const version = versions.find((candidate) => candidate.number === number);
  if (version === undefined) {
    const range = versions.length === 0 ? "it has none in a commit yet" : `it has 1 to ${versions.length}`;
    throw new VaultError("unknown-secret", `no version ${number} of ${place}: ${range}`, see);
  }
  if (version.signer === undefined) {
    const what = `no owner signed version ${number} of ${place}: someone else put it there`;
    throw new VaultError("record-signature", what, `choose another; ${see}`);
  }
  if (version.record.type !== "secret") {
    const what = `version ${number} of ${place} is its removal, and has no value`;
    throw new VaultError("unknown-secret", what, `to remove it, use vault-run unset; ${see}`);
  }
  return { ...version, record: version.record };
}

/**
 * Sets an old value again, sealed to who may read today. It keeps its id, so that who could have read it before is found:
 * they are noted, in `exposedTo`. All else is as it is today; of a removed secret, as it was.
 *
 * @param value the version's own.
 */
export async function planRollback(
  session: OwnerSession,
  { record: old }: ValueVersion,
  value: Secret,
  history: GroupHistory,
): Promise<Plan> {
  const { group: groupName, name, valueId } = old;
  const ref = { group: groupName, name };
  const found = session.vault.findSecret(ref);
  const { description, env, unsafeName, deliver, expiresAt } = found?.type === "secret" ? found : old;
  const fields: SecretFields = {
    valueId,
    setAt: session.now,
    exposedTo: readersBefore(session, old, history),
    deliver: value.isText() ? deliver : "file",
    ...given({ description, env, unsafeName }),
    // One that has passed would have nobody read what was just set.
    ...given({
      expiresAt: expiresAt === undefined || isPast(expiresAt, session.nowMs) ? undefined : expiresAt,
    }),
  };
  const record = await secretRecord(session, session.vault.group(groupName), name, fields, value.bytes());
  return {
    event: { action: "rollback", group: groupName, secrets: [{ ...ref, valueId }] },
    writes: [{ path: secretPath(groupName, name), record }],
    message: `vault-run: roll back ${formatRef(ref)}`,
  };
}

/**
 * Everyone who could ever have read the value: who is noted on one of its versions, and who held the key of one. Not those
 * who hold the group's key of today by the key they have today: they are noted when they lose it.
 */
function readersBefore(
  { vault }: OwnerSession,
  { group, name, valueId }: SecretRecord,
  { past, beside }: GroupHistory,
): Exposure[] {
  const today = new Set(vault.grantees(group).map(({ agent }) => keyFingerprint(agent.verifyKey)));
  const owners = new Set(vault.owners.map(keyFingerprint));
  const [agents, ownersThen] = [holdersOf(past, beside), ownersHolding(past, beside)];
  const readers = past.flatMap((version) => {
    const { record } = version;
    if (record.type !== "secret" || record.name !== name || record.valueId !== valueId) return [];
    const held = (agents.get(version) ?? []).filter((holder) => !today.has(holder.key));
    const former = (ownersThen.get(version) ?? []).filter((owner) => !owners.has(owner.key));
    return [...record.exposedTo, ...held, ...former];
  });
  return earliest<Exposure>(readers);
}

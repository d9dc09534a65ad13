import type { Identity } from "../age/identity.ts";
import { formatRef } from "../vault/names.ts";
import { openGroup, openSecret } from "../vault/open-sealed.ts";
import { groupPath } from "../vault/paths.ts";
import type { GroupRecord, SecretRecord } from "../vault/schema.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import type { GroupHistory } from "./group-history.ts";
import type { PastRecord } from "./past-records.ts";

/**
 * The value of a past version, opened with the group's identity of that time: by the group's record in the same commit,
 * otherwise by any that the group had in that epoch.
 *
 * @param past verified.
 * @param identities an owner's, of today or of that time: what may open the group's record.
 */
export async function openPastValue(
  past: PastRecord & { readonly record: SecretRecord },
  history: GroupHistory,
  identities: readonly Identity[],
): Promise<Secret> {
  const { record } = past;
  let isForOthers = false;
  for (const group of groupsOf(past, history)) {
    for (const owner of identities) {
      const identity = await unlessSealedOff(() => openGroup(group, owner));
      if (identity === undefined) isForOthers = true;
      const value = identity && (await unlessSealedOff(() => openSecret(record, identity)));
      if (value !== undefined) return value;
    }
  }
  throw isForOthers ? sealedToFormerKey(record) : groupMissing(record);
}

function groupsOf(
  past: PastRecord & { readonly record: SecretRecord },
  history: GroupHistory,
): GroupRecord[] {
  const { group: name, epoch } = past.record;
  const all = [history.beside(past, groupPath(name)), ...history.past.map(({ record }) => record)];
  const groups = all.filter((record) => record?.type === "group" && record.epoch === epoch) as GroupRecord[];
  const bySeal = new Map(groups.map((group) => [group.sealed, group]));
  return [...bySeal.values()];
}

/** Undefined where something is sealed to another identity. Anything else is damage, which no other key mends. */
async function unlessSealedOff<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof VaultError && error.code === "not-for-identity") return undefined;
    throw error;
  }
}

function sealedToFormerKey(record: SecretRecord): VaultError {
  return new VaultError(
    "not-for-identity",
    `the value of ${formatRef(record)} of ${record.setAt.slice(0, 10)} opens with an owner's key of that time only, and yours is newer`,
    "name the key file you had then with --former-key-file; without it, get the value at its source and use vault-run set",
  );
}

function groupMissing(record: SecretRecord): VaultError {
  return new VaultError(
    "record-missing",
    `the record of group ${record.group} that this version was sealed by is not in this branch's history: ${formatRef(record)}`,
    "in a shallow clone, get the rest with git fetch --unshallow; otherwise get the value at its source and use vault-run set",
  );
}

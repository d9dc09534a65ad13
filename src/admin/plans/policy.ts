import type { GroupName } from "../../vault/names.ts";
import { groupPath } from "../../vault/paths.ts";
import { type CommandRule, type GroupPolicy, shownPolicy } from "../../vault/policy.ts";
import type { GroupRecord } from "../../vault/schema.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";
import { given } from "./group-key.ts";

/** What is to change in a group's policy. */
export interface PolicyChange {
  readonly reveal?: boolean | undefined;
  readonly allowCommands: readonly CommandRule[];
  readonly forbidCommands: readonly CommandRule[];
  /** Lifts every bound on commands, before others are added. */
  readonly anyCommand: boolean;
  readonly allowOrigins: readonly string[];
  readonly forbidOrigins: readonly string[];
}

/** The policy after the change. A list that was emptied stays a list: it allows nothing. */
export function changedPolicy(before: GroupPolicy, change: PolicyChange): GroupPolicy {
  const reveal = change.reveal ?? before.reveal;
  const commands = changedList(change.anyCommand ? undefined : before.commands, {
    added: change.allowCommands.map((rule) => [...rule]),
    removed: change.forbidCommands.map((rule) => [...rule]),
  });
  const origins = changedList(before.origins, { added: change.allowOrigins, removed: change.forbidOrigins });
  return given({ reveal, commands, origins });
}

export function isSamePolicy(a: GroupPolicy, b: GroupPolicy): boolean {
  return JSON.stringify(shownPolicy(a)) === JSON.stringify(shownPolicy(b));
}

/**
 * Another policy for a group: one record, signed again. Nothing is sealed anew, nobody gains or loses a key. Where it is
 * that already, the plan is empty.
 */
export function planPolicy(session: OwnerSession, name: GroupName, policy: GroupPolicy): Plan {
  const { recipient, epoch, createdAt, description, sealed, policy: before } = session.vault.group(name);
  const event = { action: "policy", group: name } as const;
  const message = `vault-run: policy of ${name}`;
  if (isSamePolicy(before, policy)) return { event, writes: [], message };
  const record = session.sign<GroupRecord>(groupPath(name), {
    type: "group",
    name,
    recipient,
    epoch,
    createdAt,
    ...given({ description }),
    policy,
    sealed,
  });
  return { event, writes: [{ path: groupPath(name), record }], message };
}

function changedList<T>(
  before: readonly T[] | undefined,
  { added, removed }: { readonly added: readonly T[]; readonly removed: readonly T[] },
): T[] | undefined {
  if (before === undefined && added.length === 0) return undefined;
  const gone = new Set(removed.map((entry) => JSON.stringify(entry)));
  const all = new Map([...(before ?? []), ...added].map((entry) => [JSON.stringify(entry), entry]));
  return [...all].filter(([key]) => !gone.has(key)).map(([, entry]) => entry);
}

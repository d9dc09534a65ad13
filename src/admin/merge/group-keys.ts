import type { Identity } from "../../age/identity.ts";
import type { GroupName } from "../../vault/names.ts";
import { openGrant, openGroup, openSecret } from "../../vault/open-sealed.ts";
import { agentPath, type RecordPath, secretPath } from "../../vault/paths.ts";
import { sealedBytes } from "../../vault/payload.ts";
import type {
  AgentRecord,
  GrantRecord,
  GroupRecord,
  SecretRecord,
  SignedRecord,
} from "../../vault/schema.ts";
import type { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import { countStanzas } from "../check/sealed.ts";
import { agentIdentity } from "../escrow.ts";
import type { OwnerSession } from "../owner-session.ts";

// A group in a merged vault: what it holds, whether all of it is sealed under one key that only its readers have, and
// what opens it where it is not.

export type Records = ReadonlyMap<RecordPath, SignedRecord>;

export interface MergedGroup {
  readonly group: GroupRecord;
  /** The grants of agents that are there. */
  readonly grants: readonly { readonly agent: AgentRecord; readonly grant: GrantRecord }[];
  readonly secrets: readonly SecretRecord[];
}

export function mergedGroups(records: Records): MergedGroup[] {
  const all = [...records.values()];
  return all
    .filter((record) => record.type === "group")
    .map((group) => ({
      group,
      grants: all.flatMap((grant) => {
        const agent = grant.type === "grant" ? records.get(agentPath(grant.agent)) : undefined;
        return grant.type === "grant" && grant.group === group.name && agent?.type === "agent"
          ? [{ agent, grant }]
          : [];
      }),
      secrets: all.filter(
        (record) => record.type === "secret" && record.group === group.name,
      ) as SecretRecord[],
    }));
}

/** Whether a group needs a fresh key: something of it is sealed under another, or to others than its readers. */
export async function isOutOfStep(
  { group, grants, secrets }: MergedGroup,
  keys: GroupKeys,
  session: OwnerSession,
): Promise<boolean> {
  if (countStanzas(sealedBytes(group.sealed)) !== session.ownerRecipients.length) return true;
  if ([...secrets, ...grants.map(({ grant }) => grant)].some(({ epoch }) => epoch !== group.epoch))
    return true;
  const current = await keys.currentOf(group);
  if (current === undefined) return true;
  for (const { agent, grant } of grants)
    if (!(await opensAs(agent, grant, current, session.identity))) return true;
  for (const secret of secrets) {
    const value = await tryOpen(() => openSecret(secret, current));
    value?.dispose();
    if (value === undefined) return true;
  }
  return false;
}

/** Whether a grant is sealed to the key that its agent has in the merged vault: one side may have made it for another. */
export async function isForAgent(grant: GrantRecord, records: Records, owner: Identity): Promise<boolean> {
  const agent = records.get(agentPath(grant.agent));
  if (agent?.type !== "agent") return false;
  return (await tryOpen(async () => openGrant(grant, await agentIdentity(agent, owner)))) !== undefined;
}

async function opensAs(
  agent: AgentRecord,
  grant: GrantRecord,
  group: Identity,
  owner: Identity,
): Promise<boolean> {
  const found = await tryOpen(async () => openGrant(grant, await agentIdentity(agent, owner)));
  return found?.reveal() === group.reveal();
}

/** The identities that a group has or had, for opening what is sealed under any of them. */
export class GroupKeys {
  readonly #owner: Identity;
  readonly #past: (group: GroupName) => Promise<readonly GroupRecord[]>;
  readonly #identities = new Map<string, Identity | undefined>();

  /** @param past every version of a group's record there is, whoever put it there: what it opens is verified by itself. */
  constructor(owner: Identity, past: (group: GroupName) => Promise<readonly GroupRecord[]>) {
    this.#owner = owner;
    this.#past = past;
  }

  async currentOf(group: GroupRecord): Promise<Identity | undefined> {
    if (!this.#identities.has(group.sealed))
      this.#identities.set(group.sealed, await tryOpen(() => openGroup(group, this.#owner)));
    return this.#identities.get(group.sealed);
  }

  /** @throws {VaultError} `not-for-identity` where no key of the group that is known here opens it. */
  async open(secret: SecretRecord, current: GroupRecord): Promise<Secret> {
    for (const group of [current, ...(await this.#past(secret.group))]) {
      if (group.epoch !== secret.epoch) continue;
      const identity = await this.currentOf(group);
      const value = identity === undefined ? undefined : await tryOpen(() => openSecret(secret, identity));
      if (value !== undefined) return value;
    }
    const path = secretPath(secret.group, secret.name);
    throw new VaultError(
      "not-for-identity",
      `no key of group ${secret.group} that is known here opens this: .vault/${path}`,
      `bring in all of the history (git fetch --unshallow), or set it again: vault-run set ${secret.group}/${secret.name}`,
    );
  }
}

/** Undefined where it is sealed to another identity or made for another place: both are what a merge can leave. */
async function tryOpen<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

import type { AgentName, GroupName } from "../../vault/names.ts";
import { grantPath } from "../../vault/paths.ts";
import type { GrantTombstone, SecretRecord, Unsigned } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import { replaceGroupKey } from "./group-key.ts";

/** Takes a group from an agent: the grant becomes a tombstone and the group gets a new key. */
export async function planRevoke(
  session: OwnerSession,
  agentName: AgentName,
  groupName: GroupName,
  progress: Progress,
): Promise<{ plan: Plan; exposed: SecretRecord[] }> {
  const agent = session.vault.agent(agentName);
  session.vault.group(groupName);
  if (session.vault.findGrant(agentName, groupName)?.type !== "grant") {
    throw new VaultError(
      "not-granted",
      `${agentName} has no grant of group ${groupName}`,
      "see who has what: vault-run status",
    );
  }
  const { writes, exposed } = await replaceGroupKey(session, groupName, [agent], progress);
  const secrets = exposed.map(({ group, name, valueId }) => ({ group, name, valueId }));
  const plan: Plan = {
    action: "revoke",
    writes: [...writes, grantTombstone(session, agentName, groupName)],
    message: `vault-run: revoke ${groupName} from ${agentName}`,
    agent: agentName,
    group: groupName,
    secrets,
  };
  return { plan, exposed };
}

export function grantTombstone(session: OwnerSession, agent: AgentName, group: GroupName): PlannedWrite {
  return session.write<Unsigned<GrantTombstone>>(grantPath(agent, group), {
    type: "tombstone",
    of: "grant",
    agent,
    group,
    removedAt: session.now,
  });
}

import type { AgentName, GroupName } from "../../vault/names.ts";
import { openGroup } from "../../vault/open-sealed.ts";
import type { Timestamp } from "../../vault/time.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";
import { grantWrite } from "./group-key.ts";

/** Gives an agent a group: one new record, whatever the group's size. Granting again renews the expiry. */
export async function planGrant(
  session: OwnerSession,
  agentName: AgentName,
  groupName: GroupName,
  expiresAt: Timestamp | undefined,
): Promise<Plan> {
  const agent = session.vault.agent(agentName);
  const group = session.vault.group(groupName);
  const current = session.vault.findGrant(agentName, groupName);
  const grantedAt = current?.type === "grant" ? current.grantedAt : session.now;
  const identity = await openGroup(group, session.identity);
  const times = { grantedAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
  const write = await grantWrite(session, agent, group, identity, times);
  return {
    action: "grant",
    writes: [write],
    message: `vault-run: grant ${groupName} to ${agentName}`,
    agent: agentName,
    group: groupName,
  };
}

import type { AgentName, GroupName } from "../../vault/names.ts";
import { openGroup } from "../../vault/open-sealed.ts";
import { grantPath } from "../../vault/paths.ts";
import type { Timestamp } from "../../vault/time.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";
import { given, grantRecord } from "./group-key.ts";

/** Gives an agent a group: one new record, whatever the group's size. Granting again renews the expiry. */
export async function planGrant(
  session: OwnerSession,
  agent: AgentName,
  group: GroupName,
  expiresAt: Timestamp | undefined,
): Promise<Plan> {
  const current = session.vault.findGrant(agent, group);
  const grantedAt = current?.type === "grant" ? current.grantedAt : session.now;
  const recipient = session.vault.agent(agent);
  const target = session.vault.group(group);
  const identity = await openGroup(target, session.identity);
  const record = await grantRecord(session, recipient, target, identity, {
    grantedAt,
    ...given({ expiresAt }),
  });
  return {
    event: { action: "grant", agent, group },
    writes: [{ path: grantPath(agent, group), record }],
    message: `vault-run: grant ${group} to ${agent}`,
  };
}

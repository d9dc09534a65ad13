import type { AgentName } from "../../vault/names.ts";
import { agentPath } from "../../vault/paths.ts";
import type { AgentTombstone, SecretRecord, Unsigned } from "../../vault/schema.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import { replaceGroupKey } from "./group-key.ts";
import { grantTombstone } from "./revoke.ts";

/** Removes an agent: every group it had gets a new key, its grants and its own record become tombstones. */
export async function planRemoveAgent(
  session: OwnerSession,
  name: AgentName,
  progress: Progress,
): Promise<{ plan: Plan; exposed: SecretRecord[] }> {
  const agent = session.vault.agent(name);
  const writes: PlannedWrite[] = [];
  const exposed: SecretRecord[] = [];
  for (const { group } of session.vault.grants(name)) {
    const replaced = await replaceGroupKey(session, group, [agent], progress);
    writes.push(...replaced.writes, grantTombstone(session, name, group));
    exposed.push(...replaced.exposed);
  }
  writes.push(
    session.write<Unsigned<AgentTombstone>>(agentPath(name), {
      type: "tombstone",
      of: "agent",
      name,
      removedAt: session.now,
    }),
  );
  const secrets = exposed.map(({ group, name: secret, valueId }) => ({ group, name: secret, valueId }));
  return {
    plan: {
      action: "remove-agent",
      writes,
      message: `vault-run: remove agent ${name}`,
      agent: name,
      secrets,
    },
    exposed,
  };
}

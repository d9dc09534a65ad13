import type { AgentName } from "../../vault/names.ts";
import { agentPath } from "../../vault/paths.ts";
import type { AgentTombstone, SecretRecord } from "../../vault/schema.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import { replaceGroupKey } from "./group-key.ts";

/** Removes an agent: every group it had gets a new key, its grants and its own record become tombstones. */
export async function planRemoveAgent(
  session: OwnerSession,
  name: AgentName,
  progress: Progress,
): Promise<{ plan: Plan; exposed: SecretRecord[] }> {
  session.vault.agent(name);
  const writes: PlannedWrite[] = [];
  const exposed: SecretRecord[] = [];
  for (const { group } of session.vault.grants(name)) {
    const replaced = await replaceGroupKey(session, group, { removed: name }, progress);
    writes.push(...replaced.writes);
    exposed.push(...replaced.exposed);
  }
  const path = agentPath(name);
  const tombstone = session.sign<AgentTombstone>(path, {
    type: "tombstone",
    of: "agent",
    name,
    removedAt: session.now,
  });
  writes.push({ path, record: tombstone });
  const secrets = exposed.map(({ group, name: secret, valueId }) => ({ group, name: secret, valueId }));
  const message = `vault-run: remove agent ${name}`;
  return { plan: { event: { action: "remove-agent", agent: name, secrets }, writes, message }, exposed };
}

import type { AgentName } from "../../vault/names.ts";
import { agentPath } from "../../vault/paths.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import { newAgent } from "./add-agent.ts";
import { replaceGroupKey } from "./group-key.ts";

/** A new identity for an agent whose key is compromised: every group it has gets a new key, sealed to the new one. */
export async function planRekeyAgent(
  session: OwnerSession,
  name: AgentName,
  progress: Progress,
): Promise<{ plan: Plan; keyFile: string; exposed: SecretRecord[] }> {
  const { description } = session.vault.agent(name);
  const { record, keyFile } = await newAgent(session, name, description);
  const writes: PlannedWrite[] = [{ path: agentPath(name), record }];
  const exposed: SecretRecord[] = [];
  for (const { group } of session.vault.grants(name)) {
    const replaced = await replaceGroupKey(session, group, { rekeyed: record }, progress);
    writes.push(...replaced.writes);
    exposed.push(...replaced.exposed);
  }
  const secrets = exposed.map(({ group, name: secret, valueId }) => ({ group, name: secret, valueId }));
  const message = `vault-run: rekey agent ${name}`;
  return { plan: { event: { action: "rekey", agent: name, secrets }, writes, message }, keyFile, exposed };
}

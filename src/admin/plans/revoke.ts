import type { AgentName, GroupName } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, Progress } from "../plan.ts";
import { replaceGroupKey } from "./group-key.ts";

/**
 * Takes a group from an agent: the grant becomes a tombstone and the group gets a new key. Where that was done before, by
 * a command that was killed and finished for one, the plan is empty and `exposed` is what there still is to rotate.
 */
export async function planRevoke(
  session: OwnerSession,
  agent: AgentName,
  group: GroupName,
  progress: Progress,
): Promise<{ plan: Plan; exposed: SecretRecord[] }> {
  session.vault.agent(agent);
  session.vault.group(group);
  const message = `vault-run: revoke ${group} from ${agent}`;
  const grant = session.vault.findGrant(agent, group);
  if (grant?.type === "tombstone") {
    const isExposed = ({ exposedTo }: SecretRecord) =>
      exposedTo.some((exposure) => "agent" in exposure && exposure.agent === agent);
    const exposed = session.vault.secrets(group).filter(isExposed);
    return { plan: { event: { action: "revoke", agent, group }, writes: [], message }, exposed };
  }
  if (grant === undefined) {
    throw new VaultError(
      "not-granted",
      `${agent} has no grant of group ${group}`,
      "see who has what: vault-run status",
    );
  }
  const { writes, exposed } = await replaceGroupKey(session, group, { removed: agent }, progress);
  const secrets = exposed.map(({ name, valueId }) => ({ group, name, valueId }));
  return { plan: { event: { action: "revoke", agent, group, secrets }, writes, message }, exposed };
}

import type { AgentName, GroupName } from "../vault/names.ts";
import type { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";

/**
 * A group and an agent have names of one kind, and are easily given the wrong way round.
 *
 * @throws {VaultError} `unknown-agent` where there are such a group and such an agent.
 */
export function requireOrder(vault: Vault, verb: string, agent: AgentName, group: GroupName): void {
  const [meantAgent, meantGroup] = [group as string as AgentName, agent as string as GroupName];
  const isSwapped =
    vault.findAgent(agent) === undefined &&
    vault.findAgent(meantAgent) !== undefined &&
    vault.findGroup(meantGroup) !== undefined;
  if (!isSwapped) return;
  throw new VaultError(
    "unknown-agent",
    `${agent} is a group, and ${group} an agent`,
    `the agent comes first: vault-run ${verb} ${group} ${agent}`,
  );
}

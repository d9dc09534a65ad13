import { keyFingerprint } from "../vault/fingerprint.ts";
import type { AgentName, GroupName, SecretName } from "../vault/names.ts";
import type { Exposure, SecretRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";

export interface ExposedSecret {
  readonly group: GroupName;
  readonly name: SecretName;
  readonly valueId: string;
  readonly setAt: string;
  /** Who could have read the current value and no longer may, with which key, since when. */
  readonly readers: readonly Exposure[];
}

/** The current values that someone no longer authorised could have read. Only a new value takes one off this list. */
export function findExposed(vault: Vault): ExposedSecret[] {
  const secrets = vault.groups().flatMap((group) => vault.secrets(group.name));
  return secrets.map((secret) => exposedSecret(vault, secret)).filter((secret) => secret.readers.length > 0);
}

function exposedSecret(vault: Vault, secret: SecretRecord): ExposedSecret {
  const { group, name, valueId, setAt } = secret;
  // Who was granted the group again, with the same key, may read the value: it need not be rotated for their sake.
  const readers = secret.exposedTo.filter((exposure) => !holds(vault, exposure.agent, exposure.key, group));
  return { group, name, valueId, setAt, readers };
}

function holds(vault: Vault, agentName: AgentName, key: string, group: GroupName): boolean {
  const agent = vault.findAgent(agentName);
  if (agent?.type !== "agent" || keyFingerprint(agent.verifyKey) !== key) return false;
  return vault.findGrant(agentName, group)?.type === "grant";
}

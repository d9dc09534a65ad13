import { keyFingerprint } from "../vault/fingerprint.ts";
import type { AgentName, GroupName, SecretName } from "../vault/names.ts";
import type { Exposure, OwnerExposure, SecretRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";

export interface ExposedSecret {
  readonly group: GroupName;
  readonly name: SecretName;
  readonly valueId: string;
  readonly setAt: string;
  /** Who could have read the current value and no longer may, with which key, since when. */
  readonly readers: readonly Exposure[];
}

/** Who an exposure is about, as listings show it. */
export function readerName(exposure: Exposure): string {
  return "owner" in exposure ? `owner ${exposure.owner}` : exposure.agent;
}

/** An agent whose identity a former owner could have opened from escrow. Only a new key takes it off this list. */
export interface ExposedAgent {
  readonly agent: AgentName;
  readonly key: string;
  readonly owners: readonly OwnerExposure[];
}

export function findExposedAgents(vault: Vault): ExposedAgent[] {
  return vault.agents().flatMap(({ name, verifyKey, exposedTo }) => {
    return exposedTo === undefined
      ? []
      : [{ agent: name, key: keyFingerprint(verifyKey), owners: exposedTo }];
  });
}

/** The current values that someone no longer authorised could have read. Only a new value takes one off this list. */
export function findExposed(vault: Vault): ExposedSecret[] {
  const secrets = vault.groups().flatMap((group) => vault.secrets(group.name));
  return secrets.map((secret) => exposedSecret(vault, secret)).filter((secret) => secret.readers.length > 0);
}

function exposedSecret(vault: Vault, secret: SecretRecord): ExposedSecret {
  const { group, name, valueId, setAt } = secret;
  // Who was granted the group again, with the same key, may read the value: it need not be rotated for their sake.
  const readers = secret.exposedTo.filter((exposure) => !holds(vault, exposure, group));
  return { group, name, valueId, setAt, readers };
}

/** An owner's key that is none any more never is one again. */
function holds(vault: Vault, exposure: Exposure, group: GroupName): boolean {
  if ("owner" in exposure) return false;
  const agent = vault.findAgent(exposure.agent);
  if (agent?.type !== "agent" || keyFingerprint(agent.verifyKey) !== exposure.key) return false;
  return vault.findGrant(agent.name, group)?.type === "grant";
}

import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { Vault } from "../../vault/vault.ts";

/** What `agents --json` prints. */
export function listAgents(vault: Vault) {
  return vault.agents().map((agent) => ({
    name: agent.name,
    key: keyFingerprint(agent.verifyKey),
    recipient: agent.recipient,
    createdAt: agent.createdAt,
    description: agent.description ?? null,
    grants: vault
      .grants(agent.name)
      .map(({ group, grantedAt, expiresAt }) => ({ group, grantedAt, expiresAt: expiresAt ?? null })),
  }));
}

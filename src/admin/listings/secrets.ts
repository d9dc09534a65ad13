import { formatRef } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { Vault } from "../../vault/vault.ts";
import { findExposed } from "../exposed.ts";

/** What `list --json` prints of these secrets. */
export function listSecrets(vault: Vault, secrets: readonly SecretRecord[], nowMs: number) {
  const exposed = new Set(findExposed(vault, nowMs).map(formatRef));
  return secrets.map((secret) => shown(secret, exposed.has(formatRef(secret))));
}

function shown(secret: SecretRecord, exposed: boolean) {
  const { group, name, valueId, setAt, expiresAt, description, env, deliver } = secret;
  return {
    group,
    name,
    variable: env ?? name,
    deliver,
    valueId,
    setAt,
    expiresAt: expiresAt ?? null,
    description: description ?? null,
    exposed,
  };
}

import { formatRef, type SecretRef } from "../../vault/names.ts";
import { secretPath } from "../../vault/paths.ts";
import type { SecretTombstone, Unsigned } from "../../vault/schema.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";

/** Removes a secret, leaving a tombstone. Its ciphertext stays in the repo's history, readable to who could read it. */
export function planUnset(session: OwnerSession, ref: SecretRef): Plan {
  const { group, name, valueId } = session.vault.secret(ref);
  const tombstone = {
    type: "tombstone" as const,
    of: "secret" as const,
    group,
    name,
    removedAt: session.now,
  };
  return {
    action: "unset",
    writes: [session.write<Unsigned<SecretTombstone>>(secretPath(group, name), tombstone)],
    message: `vault-run: unset ${formatRef(ref)}`,
    group,
    secrets: [{ group, name, valueId }],
  };
}

import { formatRef, type SecretRef } from "../../vault/names.ts";
import { secretPath } from "../../vault/paths.ts";
import type { SecretTombstone } from "../../vault/schema.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";

/** Removes a secret, leaving a tombstone. Its ciphertext stays in the repo's history, readable to who could read it. */
export function planUnset(session: OwnerSession, ref: SecretRef): Plan {
  const { group, name, valueId } = session.vault.secret(ref);
  const path = secretPath(group, name);
  const removedAt = session.now;
  const record = session.sign<SecretTombstone>(path, {
    type: "tombstone",
    of: "secret",
    group,
    name,
    removedAt,
  });
  return {
    event: { action: "unset", group, secrets: [{ group, name, valueId }] },
    writes: [{ path, record }],
    message: `vault-run: unset ${formatRef(ref)}`,
  };
}

import type { Finding } from "../../admin/check/finding.ts";
import { findExposed, readerName } from "../../admin/exposed.ts";
import { formatRef } from "../../vault/names.ts";
import type { Vault } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";

/** The rotation list is one of a vault that can be read whole: where it cannot, other findings say so. */
export function toRotate(vault: Vault, nowMs: number): Finding[] {
  try {
    return findExposed(vault, nowMs).map((secret) => {
      const place = formatRef(secret);
      const expired = secret.readers.filter((reader) => reader.grantExpired !== null);
      const first = expired
        .map((reader) => `vault-run revoke ${readerName(reader)} ${secret.group}; then `)
        .join("");
      return {
        level: "error",
        kind: "rotate",
        where: place,
        what: `someone no longer authorised could have read it: ${place}`,
        next: `${first}give it a new value at its source, then: vault-run set ${place}; who and since when: vault-run rotation`,
      };
    });
  } catch (error) {
    if (error instanceof VaultError) return [];
    throw error;
  }
}

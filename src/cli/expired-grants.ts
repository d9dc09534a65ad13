import { findExpiredGrants } from "../admin/exposed.ts";
import type { Vault } from "../vault/vault.ts";
import type { CommandContext } from "./context.ts";

/** An expired grant is refused, but its key still opens the group's values, new ones among them: says what ends that. */
export function sayExpiredGrants({ console, machine }: CommandContext, vault: Vault): void {
  for (const { agent, group, expiredAt } of findExpiredGrants(vault, machine.now())) {
    console.say(
      `${agent}'s grant of ${group} expired on ${expiredAt.slice(0, 10)}, but its key opens new values too until the group has another`,
    );
    console.detail(`vault-run revoke ${agent} ${group}`);
  }
}

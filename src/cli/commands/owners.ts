import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { withVault } from "../reader.ts";

export function run(context: CommandContext): Promise<number> {
  return withVault(context, ({ vault, self }) => {
    const owners = vault.record.owners.map((owner) => ({
      name: owner.name,
      key: keyFingerprint(owner.verifyKey),
      verifyKey: owner.verifyKey,
      recipient: owner.recipient,
    }));
    if (context.has("json")) {
      context.console.printJson({ owners });
      return DONE;
    }
    const rows = owners.map(({ name, key, verifyKey }) => [
      `${name}${verifyKey === self.verifyKey ? " (you)" : ""}`,
      key,
    ]);
    context.console.table([["OWNER", "KEY"], ...rows]);
    context.console.print();
    // In lines of their own: a window of 80 columns has no room for both, and half of one is good for nothing.
    context.console.table([["VERIFY KEY", "OF"], ...owners.map(({ name, verifyKey }) => [verifyKey, name])]);
    return DONE;
  });
}

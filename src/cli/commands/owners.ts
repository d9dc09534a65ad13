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
      name,
      key,
      verifyKey,
      verifyKey === self.verifyKey ? "you" : "",
    ]);
    context.console.table([["OWNER", "KEY", "VERIFY KEY", ""], ...rows]);
    return DONE;
  });
}

import { OwnerSession } from "../admin/owner-session.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import type { CommandContext } from "./context.ts";

/** The verified vault for verbs that list. They change nothing, and what they saw is pinned once they printed it all. */
export async function withVault(
  context: CommandContext,
  print: (session: OwnerSession) => number | Promise<number>,
): Promise<number> {
  const { machine } = context;
  const session = OwnerSession.open(
    machine,
    findVaultRoot(machine, context.text("vault")),
    context.text("owner-key-file"),
  );
  const status = await print(session);
  await session.vault.pins.save(session.vault.seen, session.vault.owners, {
    pid: machine.pid,
    host: machine.host,
    doing: "list",
  });
  return status;
}

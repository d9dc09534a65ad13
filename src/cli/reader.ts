import { OwnerSession } from "../admin/owner-session.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import type { CommandContext } from "./context.ts";

/** The verified vault that a verb's options name, seen with the owner's key. */
export function openAsOwner(context: CommandContext): Promise<OwnerSession> {
  const root = findVaultRoot(context.machine, context.text("vault"));
  return OwnerSession.open(context.machine, root, context.text("owner-key-file"));
}

/** The verified vault for verbs that list. They change nothing, and what they saw is pinned once they printed it all. */
export async function withVault(
  context: CommandContext,
  print: (session: OwnerSession) => number | Promise<number>,
): Promise<number> {
  const { machine } = context;
  const session = await openAsOwner(context);
  const status = await print(session);
  await session.vault.pin({ pid: machine.pid, host: machine.host, doing: "list" });
  return status;
}

import type { SharingOptions } from "../admin/sharing/session.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import type { CommandContext } from "./context.ts";

/** What the verbs say that push and fetch logs. */
export function sharingOptions(context: CommandContext, doing: string): SharingOptions {
  return {
    root: findVaultRoot(context.machine, context.text("vault")),
    remote: context.text("remote"),
    ownerKeyFile: context.text("owner-key-file"),
    agent: context.text("agent"),
    keyFile: context.text("key-file"),
    doing,
  };
}

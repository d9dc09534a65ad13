import { findVaultRoot } from "../vault/find-vault.ts";
import type { VaultId } from "../vault/names.ts";
import { findOwnerKey, type OwnerKey } from "../vault/owner-key.ts";
import { RecordFiles } from "../vault/record-files.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import type { CommandContext } from "./context.ts";

/** The owner's key as it is stored, for verbs that change only that. Nothing of the vault is believed but its id. */
export async function findStoredKey(context: CommandContext): Promise<{ vault: VaultId; key: OwnerKey }> {
  const { machine } = context;
  const root = findVaultRoot(machine, context.text("vault"));
  const { id } = readUnverifiedVault(new RecordFiles(root));
  return { vault: id, key: await findOwnerKey(machine, id, context.text("owner-key-file")) };
}

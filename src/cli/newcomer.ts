import { findVaultRoot } from "../vault/find-vault.ts";
import { ownerVariable } from "../vault/key-lookup.ts";
import { stateFolder } from "../vault/machine.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { Pins } from "../vault/pins.ts";
import { decodeRecord } from "../vault/record.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { VaultRecord } from "../vault/schema.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import type { CommandContext } from "./context.ts";

/**
 * The vault as someone sees it who has no key of it: its owners are taken at its word, where neither this machine nor
 * VAULT_RUN_OWNER knows better. Good for nothing but to show to a person, who compares them, and to pin in a new key's
 * file: with other owners in it, that key file refuses the genuine vault.
 */
export function openAsNewcomer(context: CommandContext): Vault {
  const { machine } = context;
  const unverified = readUnverifiedVault(new RecordFiles(findVaultRoot(machine, context.text("vault"))));
  const pins = new Pins(stateFolder(machine, unverified.id));
  const named = ownerVariable(machine);
  if (named !== undefined) return Vault.verify(unverified, pins, [named]);
  if (pins.findOwners() !== undefined) return Vault.verify(unverified, pins, []);
  const { owners } = decodeRecord(VAULT_PATH, unverified.bytes) as VaultRecord;
  const keys = owners.map((owner) => owner.verifyKey);
  return Vault.verify(unverified, pins, [{ from: "the vault itself", keys }]);
}

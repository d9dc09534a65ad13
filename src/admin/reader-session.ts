import { hasChangeUnderWay } from "../git/head.ts";
import { keyFileExists } from "../vault/key-file.ts";
import { actsAsAgent, agentOption, findAgentKey, ownerKeyPath, trustSources } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import type { VaultId } from "../vault/names.ts";
import { Pins } from "../vault/pins.ts";
import type { RecordSource } from "../vault/record-source.ts";
import type { TrustSource } from "../vault/trust.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { BranchedPins } from "./branched-pins.ts";
import { OwnerSession } from "./owner-session.ts";

// A verified vault for who may hold an owner's key, an agent's, or none: a CI job that was told the owner's verify key.

export interface ReaderOptions {
  readonly ownerKeyFile?: string | undefined;
  readonly agent?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface ReaderSession {
  readonly vault: Vault;
  /** Where an owner's key is at hand. */
  readonly owner: OwnerSession | undefined;
}

/**
 * Verifies a vault by the owner's key where it is named or in its place, otherwise by an agent's that is named, otherwise
 * by VAULT_RUN_OWNER and this machine's pins.
 *
 * @param extra a further source, for where there is no other.
 * @param given what it must not be older than, where that is not what this machine has seen.
 */
export async function openReader(
  machine: Machine,
  files: RecordSource,
  options: ReaderOptions,
  extra?: TrustSource,
  given?: Pins,
): Promise<ReaderSession> {
  const unverified = readUnverifiedVault(files);
  const { id } = unverified;
  if (actsAsOwner(machine, id, options)) {
    const owner = await OwnerSession.open(machine, files.root, options.ownerKeyFile, {
      files,
      ...(given === undefined ? {} : { pins: given }),
    });
    return { vault: owner.vault, owner };
  }
  const asAgent = actsAsAgent(machine, options.agent, options.keyFile);
  const own = asAgent
    ? new Pins(stateFolder(machine, id), () => hasChangeUnderWay(files.root))
    : new BranchedPins(stateFolder(machine, id), files.root);
  const pins = given ?? own;
  const sources = asAgent ? agentSources(machine, id, options) : trustSources(machine, undefined);
  const all =
    sources.length === 0 && pins.findOwners() === undefined && extra !== undefined ? [extra] : sources;
  return { vault: Vault.verify(unverified, pins, all), owner: undefined };
}

function actsAsOwner(machine: Machine, vault: VaultId, options: ReaderOptions): boolean {
  if (options.ownerKeyFile !== undefined || machine.env.VAULT_RUN_OWNER_KEY_FILE !== undefined) return true;
  if (actsAsAgent(machine, options.agent, options.keyFile)) return false;
  return keyFileExists(ownerKeyPath(machine, vault));
}

function agentSources(machine: Machine, vault: VaultId, options: ReaderOptions): TrustSource[] {
  const agent = agentOption(machine, options.agent);
  return trustSources(machine, findAgentKey(machine, vault, agent, options.keyFile));
}

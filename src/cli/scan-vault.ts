import { existsSync } from "node:fs";
import { BranchedPins } from "../admin/branched-pins.ts";
import { OwnerSession } from "../admin/owner-session.ts";
import type { ReaderOptions } from "../admin/reader-session.ts";
import { hasChangeUnderWay } from "../git/head.ts";
import { AgentSession } from "../launch/agent-session.ts";
import { actsAsAgent, agentsWithKeys, ownerKeyPath, trustSources } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { Pins } from "../vault/pins.ts";
import { decodeRecord } from "../vault/record.ts";
import type { RecordSource } from "../vault/record-source.ts";
import type { VaultRecord } from "../vault/schema.ts";
import type { TrustSource } from "../vault/trust.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import { agentValues, type OpenValue, ownerValues } from "./scan-values.ts";

// The vault that a scan goes by: verified by whatever key or pin is at hand, its values opened by every key that is. What
// is opened is looked for and nothing else: it reaches no output, no file and no log, so it is no pull. A key that is named
// and fails is final. Where nothing at all says whose vault it is, a scan goes on without it; where anything does, and says
// that it is another's, the vault is refused.

export interface OpenedVault {
  readonly vault: Vault | undefined;
  readonly values: readonly OpenValue[];
  /** Why the vault that is here is not gone by: something is wrong with it. */
  readonly refused?: VaultError;
}

export interface ScanVaultOptions extends ReaderOptions {
  readonly vault: string | undefined;
  /** False where the records are a commit's. */
  readonly isOnDisk: boolean;
  /** Whether this looks through a commit that is being made, which may be the one that replaces the key. */
  readonly isStaged: boolean;
  /** What a change is to be merged into: its owners count where nothing else says whose vault it is. */
  readonly base: RecordSource | undefined;
}

/**
 * Of an owner's key in its place: it takes a person, and nobody sits before a hook; or it was replaced, also by the very
 * change whose commit is looked through.
 */
const NOT_AT_HAND = ["passphrase", "keychain", "no-key", "wrong-key"];

export async function openForScan(
  machine: Machine,
  files: RecordSource,
  options: ScanVaultOptions,
  note: (text: string) => void,
): Promise<OpenedVault> {
  if (isNamed(machine, options)) {
    const named = await openByNamedKey(machine, files, options, note);
    if (named !== undefined) return named;
  }
  try {
    return await openByKeysInPlace(machine, files, { ...options, tries: !isNamed(machine, options) }, note);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { vault: undefined, values: [], refused: error };
  }
}

function isNamed(machine: Machine, { ownerKeyFile, agent, keyFile }: ScanVaultOptions): boolean {
  const named = ownerKeyFile !== undefined || machine.env.VAULT_RUN_OWNER_KEY_FILE !== undefined;
  return named || actsAsAgent(machine, agent, keyFile);
}

async function openByNamedKey(
  machine: Machine,
  files: RecordSource,
  options: ScanVaultOptions,
  note: (text: string) => void,
): Promise<OpenedVault | undefined> {
  const { agent, keyFile, vault, ownerKeyFile } = options;
  if (ownerKeyFile === undefined && actsAsAgent(machine, agent, keyFile)) {
    const session = await AgentSession.open(machine, { agent, keyFile, vault }, note);
    return { vault: session.vault, values: await agentValues(session, note) };
  }
  try {
    const session = await OwnerSession.open(machine, files.root, ownerKeyFile, { files });
    return { vault: session.vault, values: await ownerValues(session, note) };
  } catch (error) {
    if (!options.isStaged || !(error instanceof VaultError) || error.code !== "wrong-key") throw error;
    note(`the vault's values are not looked for: ${error.message}`);
    return undefined;
  }
}

/** @param options `tries` no key in its place where one was named: there is no falling back from that. */
async function openByKeysInPlace(
  machine: Machine,
  files: RecordSource,
  options: ScanVaultOptions & { readonly tries: boolean },
  note: (text: string) => void,
): Promise<OpenedVault> {
  const unverified = readUnverifiedVault(files);
  const { id } = unverified;
  const { askPassphrase: _, ...unattended } = machine;
  const tries = options.isOnDisk && options.tries;
  if (tries && existsSync(ownerKeyPath(machine, id))) {
    try {
      const session = await OwnerSession.open(unattended, files.root, undefined, { files });
      return { vault: session.vault, values: await ownerValues(session, note) };
    } catch (error) {
      if (!(error instanceof VaultError) || !NOT_AT_HAND.includes(error.code)) throw error;
      note(`without the owner's key the vault's values are not looked for (${error.message})`);
    }
  }
  const values = new Map<string, OpenValue>();
  for (const agent of tries ? agentsWithKeys(machine, id) : []) {
    const own = { agent, vault: options.vault };
    const session = await attempt(() => AgentSession.open(unattended, own, note), note);
    if (session === undefined) continue;
    for (const value of await agentValues(session, note)) values.set(value.secret.ref, value);
  }
  const state = stateFolder(machine, id);
  const pins = options.isOnDisk
    ? new BranchedPins(state, files.root)
    : new Pins(state, () => hasChangeUnderWay(files.root));
  const named = trustSources(machine, undefined);
  const hasSource = named.length > 0 || pins.findOwners() !== undefined;
  const sources = hasSource ? named : ownersOf(options.base);
  if (!hasSource && sources.length === 0) {
    note(
      "the vault here is not gone by: nothing says whose it is (set VAULT_RUN_OWNER to the owner's verify key)",
    );
    return { vault: undefined, values: [...values.values()] };
  }
  return { vault: Vault.verify(unverified, pins, sources), values: [...values.values()] };
}

async function attempt<T>(open: () => Promise<T>, note: (text: string) => void): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    note(`a key here is not gone by: ${error.message}`);
    return undefined;
  }
}

function ownersOf(base: RecordSource | undefined): TrustSource[] {
  const bytes = base?.read(VAULT_PATH);
  if (bytes === undefined) return [];
  const record = decodeRecord(VAULT_PATH, bytes) as VaultRecord;
  return [{ from: "the base", keys: record.owners.map((owner) => owner.verifyKey) }];
}

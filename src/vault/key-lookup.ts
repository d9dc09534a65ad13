import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseVerifyKey } from "../age/signing-key.ts";
import { MistypedWord, VaultError } from "../vault-error.ts";
import { type KeyFile, keyFileExists, parseKeyFile, readCredential, readKeyFile } from "./key-file.ts";
import { configFolder, findNamed, findVariable, type Machine } from "./machine.ts";
import { type AgentName, GROUP_NAME, parseAgentName, type VaultId } from "./names.ts";
import type { TrustSource } from "./trust.ts";

// Which key an agent uses (an owner's: owner-key.ts). The first place that names one decides: what is named there and does not work is an error, never a
// reason to look further, and an agent's lookup never reaches the owner's key.

export interface FoundKey {
  readonly keyFile: KeyFile;
  /** Where the key came from, for messages. */
  readonly from: string;
}

/** Holds a key file's text itself. */
export const KEY_TEXT_VARIABLE = "VAULT_RUN_KEY";

/** The variables that can lead to an identity. A child never gets them. */
export const KEY_VARIABLES = [
  KEY_TEXT_VARIABLE,
  "VAULT_RUN_KEY_FILE",
  "VAULT_RUN_OWNER_KEY_FILE",
  "VAULT_RUN_OWNER_PASSPHRASE_FILE",
];
const SYSTEMD_CREDENTIAL = "vault-run-key";

/** The key among the credentials that systemd gave the process, where there is one. */
export function credentialKeyPath(env: Machine["env"]): string | undefined {
  const folder = env.CREDENTIALS_DIRECTORY ?? "";
  const path = `${folder}/${SYSTEMD_CREDENTIAL}`;
  return folder !== "" && keyFileExists(path) ? path : undefined;
}

/** An agent's key. `agent` may be missing where the key itself says whose it is. */
export function findAgentKey(
  machine: Machine,
  vault: VaultId,
  agent: AgentName | undefined,
  option: string | undefined,
): FoundKey {
  const found = readAgentKey(machine, vault, agent, option);
  requireAgentKey(found, vault, agent);
  return found;
}

/** The same, whoever it says that it is for: so that its refusal can be recorded under it. */
export function readAgentKey(
  machine: Machine,
  vault: VaultId,
  agent: AgentName | undefined,
  option: string | undefined,
): FoundKey {
  return findNamedKey(machine, option) ?? findDefaultKey(machine, vault, agent);
}

/** Refuses a key that says that it is another agent's, or for another vault. */
export function requireAgentKey(found: FoundKey, vault: VaultId, agent: AgentName | undefined): void {
  if (agent !== undefined && found.keyFile.agent !== undefined && found.keyFile.agent !== agent) {
    throw new VaultError(
      "wrong-key",
      `this is the key of agent ${found.keyFile.agent}, not of ${agent}: ${found.from}`,
      `name the key file of ${agent} with --key-file`,
    );
  }
  requireVault(found, vault);
}

export function ownerKeyPath(machine: Machine, vault: VaultId): string {
  return `${configFolder(machine, vault)}/owner.key`;
}

export function agentKeyPath(machine: Machine, vault: VaultId, agent: AgentName): string {
  return `${configFolder(machine, vault)}/agents/${agent}.key`;
}

/** What a key file's pins, where there is one, and VAULT_RUN_OWNER say about whose vault this is. */
export function trustSources(machine: Machine, found: FoundKey | undefined): TrustSource[] {
  const sources: TrustSource[] = [];
  const { owners = [], formerOwners = [] } = found?.keyFile ?? {};
  if (found !== undefined && owners.length > 0)
    sources.push({ from: found.from, keys: owners, former: formerOwners });
  const named = ownerVariable(machine);
  if (named !== undefined) sources.push(named);
  return sources;
}

/** The source of trust that VAULT_RUN_OWNER is, where it is set. */
export function ownerVariable(machine: Machine): TrustSource | undefined {
  const owner = findVariable(machine, "VAULT_RUN_OWNER");
  if (owner === undefined) return undefined;
  const key = parseVerifyKey(owner);
  if (key === undefined) {
    throw new VaultError(
      "untrusted",
      "VAULT_RUN_OWNER is not a verify key",
      "set it to the owner's verify key as `vault-run status` prints it, 44 characters of base64",
    );
  }
  return { from: "VAULT_RUN_OWNER", keys: [key] };
}

/** Whether anything asks to act as an agent. Where it does, the owner's key is out of reach, whatever fails. */
export function actsAsAgent(
  machine: Machine,
  agent: string | undefined,
  keyFile: string | undefined,
): boolean {
  const variables = ["VAULT_RUN_AGENT", "VAULT_RUN_KEY_FILE", "VAULT_RUN_KEY"];
  if (variables.some((name) => machine.env[name] !== undefined)) return true;
  return agent !== undefined || keyFile !== undefined || credentialKeyPath(machine.env) !== undefined;
}

/** The agent that `--agent`, VAULT_RUN_AGENT or the key names. */
export function agentOption(machine: Machine, option: string | undefined): AgentName | undefined {
  const name = findNamed(machine, option, "VAULT_RUN_AGENT");
  return name === undefined ? undefined : parseAgentName(name);
}

function findNamedKey(machine: Machine, option: string | undefined): FoundKey | undefined {
  const file = findNamed(machine, option, "VAULT_RUN_KEY_FILE");
  if (file !== undefined) {
    const path = resolve(machine.cwd, file);
    return { keyFile: readKeyFile(path), from: path };
  }
  const credential = credentialKeyPath(machine.env);
  if (credential !== undefined) return { keyFile: readCredential(credential), from: credential };
  const text = findVariable(machine, "VAULT_RUN_KEY");
  return text === undefined
    ? undefined
    : { keyFile: parseKeyFile(text, KEY_TEXT_VARIABLE), from: KEY_TEXT_VARIABLE };
}

function findDefaultKey(machine: Machine, vault: VaultId, agent: AgentName | undefined): FoundKey {
  if (agent === undefined) {
    throw new VaultError("usage", "no agent is named", "say who it is with --agent NAME");
  }
  const path = agentKeyPath(machine, vault, agent);
  if (!keyFileExists(path)) {
    throw new MistypedWord(
      "no-key",
      `no key for agent ${agent}: ${path}`,
      "put its key file there, or name it with --key-file or VAULT_RUN_KEY_FILE",
      { word: agent, choices: () => agentsWithKeys(machine, vault), before: "--agent " },
    );
  }
  return { keyFile: readKeyFile(path), from: path };
}

/** The agents whose key files are in their place on this machine. */
export function agentsWithKeys(machine: Machine, vault: VaultId): string[] {
  const folder = `${configFolder(machine, vault)}/agents`;
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".key"));
  return names.map((name) => name.slice(0, -".key".length)).filter((name) => GROUP_NAME.test(name));
}

/** A key that is pinned to another vault opens nothing of this one. */
export function requireVault(found: FoundKey, vault: VaultId): void {
  if (found.keyFile.vault === undefined || found.keyFile.vault === vault) return;
  throw new VaultError(
    "wrong-vault",
    `this key is for vault ${found.keyFile.vault}, and this is vault ${vault}: ${found.from}`,
    "name the key that belongs to this vault, or the vault that belongs to this key with --vault",
  );
}

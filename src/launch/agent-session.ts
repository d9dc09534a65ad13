import type { Identity } from "../age/identity.ts";
import { SigningKey } from "../age/signing-key.ts";
import type { AuditEvent } from "../audit/event.ts";
import { AuditLog } from "../audit/log.ts";
import { pinSeen, recordingDenials, recordPull } from "../audit/pull.ts";
import { findHeadCommit, hasChangeUnderWay } from "../git/head.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import {
  agentOption,
  type FoundKey,
  readAgentKey,
  requireAgentKey,
  trustSources,
} from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import type { AgentName, GroupName } from "../vault/names.ts";
import { formatRef } from "../vault/names.ts";
import { openGrant, openSecret } from "../vault/open-sealed.ts";
import { Pins } from "../vault/pins.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { AgentRecord, GrantRecord, SecretRecord } from "../vault/schema.ts";
import type { Secret } from "../vault/secret.ts";
import { isPast } from "../vault/time.ts";
import { byClaimedId, readUnverifiedVault, type UnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { VerifiedFiles } from "../vault/verified-files.ts";
import { MistypedWord, VaultError } from "../vault-error.ts";

export interface AgentOptions {
  readonly vault?: string | undefined;
  readonly agent?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The key, where it was found before. */
  readonly found?: FoundKey | undefined;
}

// A verified vault seen with one agent's key. Values leave it only through `release`, which opens everything asked for,
// then pins, then records the pull, and only then hands over: one failure and nothing is released.

export class AgentSession {
  readonly vault: Vault;
  readonly agent: AgentRecord;
  readonly identity: Identity;
  /** Where the key came from: a path, or the name of a variable. */
  readonly keyFrom: string;
  readonly #signingKey: SigningKey;
  readonly #log: AuditLog;
  readonly #machine: Machine;
  readonly #warn: (text: string) => void;

  private constructor(
    machine: Machine,
    vault: Vault,
    agent: AgentRecord,
    found: FoundKey,
    signingKey: SigningKey,
    log: AuditLog,
    warn: (text: string) => void,
  ) {
    this.#machine = machine;
    this.vault = vault;
    this.agent = agent;
    this.identity = found.keyFile.identity;
    this.keyFrom = found.from;
    this.#signingKey = signingKey;
    this.#warn = warn;
    this.#log = log;
  }

  /**
   * Finds the vault and the agent's key, and verifies that they belong together. Whoever is refused here is recorded by the
   * key they came with.
   *
   * @param forWhat what is to be launched, or which call this is for.
   */
  static async open(
    machine: Machine,
    options: AgentOptions,
    warn: (text: string) => void,
    forWhat: Pick<AuditEvent, "command" | "tool" | "client"> = {},
  ): Promise<AgentSession> {
    const unverified = readUnverifiedVault(new RecordFiles(findVaultRoot(machine, options.vault)));
    const { id, files } = unverified;
    const asked = agentOption(machine, options.agent);
    const found =
      options.found ?? byClaimedId(unverified, () => readAgentKey(machine, id, asked, options.keyFile));
    const name = asked ?? found.keyFile.agent;
    if (name === undefined) {
      throw new VaultError(
        "usage",
        `no agent is named, and this key does not say whose it is: ${found.from}`,
        "say who it is with --agent NAME",
      );
    }
    const signingKey = SigningKey.derive(found.keyFile.identity);
    // A key of another vault is refused here, and that is news there.
    const { owners, agent: saidBy = name, vault: logged = id } = found.keyFile;
    const log = new AuditLog(machine, logged, findHeadCommit(files.root));
    // An owner who comes with their own key does not speak in the agent's name.
    const who = owners.includes(signingKey.verifyKey) ? {} : { agent: saidBy };
    const denied = { ...who, ...forWhat };
    return recordingDenials(log, signingKey, denied, warn, () => {
      byClaimedId(unverified, () => requireAgentKey(found, id, asked));
      const vault = verifyAsAgent(machine, unverified, name, found);
      const agent = vault.agent(name);
      if (signingKey.verifyKey !== agent.verifyKey) throw notTheKeyOf(agent, vault, found);
      return new AgentSession(machine, vault, agent, found, signingKey, log, warn);
    });
  }

  get name(): AgentName {
    return this.agent.name;
  }

  /** The live grants, all of them or those of the groups named. An expired one among them refuses. */
  grants(groups: readonly GroupName[]): GrantRecord[] {
    const all = this.vault.grants(this.name);
    const chosen = groups.length === 0 ? all : groups.map((group) => this.#requireGrant(all, group));
    for (const grant of chosen) {
      if (grant.expiresAt === undefined || !isPast(grant.expiresAt, this.#machine.now())) continue;
      throw new VaultError(
        "expired",
        `the grant of ${grant.group} to ${this.name} expired on ${grant.expiresAt}`,
        `ask the owner to grant it again: vault-run grant ${this.name} ${grant.group}`,
      );
    }
    return chosen;
  }

  #requireGrant(all: readonly GrantRecord[], group: GroupName): GrantRecord {
    const grant = all.find((candidate) => candidate.group === group);
    if (grant !== undefined) return grant;
    const tombstone = this.vault.findGrant(this.name, group);
    const revoked =
      tombstone?.type === "tombstone"
        ? `group ${group} was revoked from ${this.name} on ${tombstone.removedAt.slice(0, 10)}`
        : undefined;
    throw new MistypedWord(
      "not-granted",
      revoked ?? `${this.name} was not granted group ${group}`,
      `ask the owner: vault-run grant ${this.name} ${group}`,
      { word: group, choices: () => (revoked === undefined ? all.map((granted) => granted.group) : []) },
    );
  }

  requireUnexpired(secret: SecretRecord): void {
    requireUnexpired(secret, this.#machine.now());
  }

  /**
   * Opens the secrets, lets `prepare` make of them what is to be handed over, pins what was read and records the pull.
   * Resolves to what `prepare` made; `prepare` itself hands nothing over. Where any of it fails, what was opened is
   * overwritten.
   */
  async release<T>(
    secrets: readonly SecretRecord[],
    event: AuditEvent,
    prepare: (opened: readonly Secret[]) => T | Promise<T>,
  ): Promise<T> {
    const opened: Secret[] = [];
    try {
      await this.#open(secrets, opened);
      const prepared = await prepare(opened);
      const pull = { ...event, agent: this.name };
      await recordPull(this.#machine, this.vault, secrets, pull, this.#log, this.#signingKey, this.#warn);
      return prepared;
    } catch (error) {
      for (const value of opened) value.dispose();
      throw error;
    }
  }

  /** @param opened gets each value once it is opened. */
  async #open(secrets: readonly SecretRecord[], opened: Secret[]): Promise<void> {
    const identities = new Map<GroupName, Identity>();
    for (const secret of secrets) {
      let identity = identities.get(secret.group);
      if (identity === undefined) {
        const grant = this.vault.findGrant(this.name, secret.group);
        if (grant?.type !== "grant") throw new TypeError(`no grant for ${secret.group}`);
        identity = await openGrant(grant, this.identity);
        identities.set(secret.group, identity);
      }
      opened.push(await openSecret(secret, identity));
    }
  }

  /** Pins what was read, for who releases nothing. */
  pinSeen(doing: string): Promise<void> {
    return pinSeen(this.#machine, this.vault, doing, this.#warn);
  }

  /** Appends to the audit log, in this agent's name. */
  async record(event: AuditEvent): Promise<void> {
    await this.#log.append({ ...event, agent: this.name }, this.#signingKey);
  }

  /** Makes the attempt; where it is refused, that is recorded. `command` is what was to be launched, `via` who asked. */
  recordingDenials<T>(
    command: string | undefined,
    attempt: () => T | Promise<T>,
    via: Pick<AuditEvent, "tool" | "client"> = {},
  ): Promise<T> {
    const who = { agent: this.name, ...(command === undefined ? {} : { command }), ...via };
    return recordingDenials(this.#log, this.#signingKey, who, this.#warn, attempt);
  }
}

function verifyAsAgent(
  machine: Machine,
  unverified: UnverifiedVault,
  agent: AgentName,
  found: FoundKey,
): Vault {
  const state = stateFolder(machine, unverified.id);
  const pins = new Pins(state, () => hasChangeUnderWay(unverified.files.root));
  const sources = trustSources(machine, found);
  const { identity } = found.keyFile;
  const basis = { vault: unverified.id, agent, identity, sources, pinned: pins.findOwners() };
  return Vault.verify(unverified, pins, sources, new VerifiedFiles(state, basis));
}

function notTheKeyOf({ name }: AgentRecord, vault: Vault, { keyFile, from }: FoundKey): VaultError {
  // A key file that says whose it is was the agent's once: nobody but an owner writes one.
  const wasTheAgents = keyFile.agent === name && keyFile.vault === vault.id;
  return new VaultError(
    "wrong-key",
    wasTheAgents
      ? `agent ${name} was given a new key, and this is an old one: ${from}`
      : `this is not the key of agent ${name} in this vault: ${from}`,
    `ask the owner for the current key file of ${name}`,
  );
}

export function requireUnexpired(secret: SecretRecord, nowMs: number): void {
  if (secret.expiresAt === undefined || !isPast(secret.expiresAt, nowMs)) return;
  throw new VaultError(
    "expired",
    `the value of ${formatRef(secret)} expired on ${secret.expiresAt}`,
    "ask the owner for a new value, or pass --allow-expired if you know it still works",
  );
}

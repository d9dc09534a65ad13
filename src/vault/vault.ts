import { type Recipient, type Suite, suiteOf } from "../age/identity.ts";
import type { VerifyKey } from "../age/signing-key.ts";
import { MistypedWord, VaultError } from "../vault-error.ts";
import type { LockSelf } from "./lock-holder.ts";
import {
  type AgentName,
  formatRef,
  type GroupName,
  type SecretName,
  type SecretRef,
  type VaultId,
} from "./names.ts";
import {
  agentPath,
  agentScope,
  findPlace,
  grantPath,
  groupPath,
  groupScope,
  type RecordPath,
  ROOT_SCOPE,
  type Scope,
  scopeOf,
  secretPath,
  VAULT_PATH,
} from "./paths.ts";
import type { OwnerKeys, Pin, Pins } from "./pins.ts";
import { decodeRecord, findSigner, recordDigest, signedBytes } from "./record.ts";
import type { RecordSource } from "./record-source.ts";
import type {
  AgentRecord,
  AgentTombstone,
  GrantRecord,
  GrantTombstone,
  GroupRecord,
  SecretRecord,
  SecretTombstone,
  SignedRecord,
  VaultRecord,
} from "./schema.ts";
import { type TrustSource, verifyVaultRecord } from "./trust.ts";
import type { UnverifiedVault } from "./unverified-vault.ts";
import type { VerifiedFiles } from "./verified-files.ts";

// A vault that can only be read verified: every record that leaves this class was signed by an owner whom every source
// of trust leads to, stands where it says, belongs to this vault, is not older than one seen before, and is of its
// group's epoch. What was read is remembered in `seen`; the caller pins it once everything else checked out.

export class Vault {
  readonly record: VaultRecord;
  readonly files: RecordSource;
  readonly pins: Pins;
  readonly #owners: ReadonlySet<VerifyKey>;
  readonly #read = new Map<RecordPath, SignedRecord>();
  readonly #seen = new Map<RecordPath, Pin>();
  readonly #completeScopes = new Set<Scope>();
  readonly #verified: VerifiedFiles | undefined;

  private constructor(
    record: VaultRecord,
    owners: ReadonlySet<VerifyKey>,
    files: RecordSource,
    pins: Pins,
    verified: VerifiedFiles | undefined,
  ) {
    this.record = record;
    this.#owners = owners;
    this.files = files;
    this.pins = pins;
    this.#verified = verified;
  }

  /**
   * Verifies what vault.json claims against every source, the machine's own pins among them.
   *
   * @param verified files that need not be verified again.
   */
  static verify(
    { files, bytes }: UnverifiedVault,
    pins: Pins,
    sources: readonly TrustSource[],
    verified?: VerifiedFiles,
  ): Vault {
    const pinned = pins.findOwners();
    const all =
      pinned === undefined
        ? sources
        : [...sources, { from: "this machine", keys: pinned.current, former: pinned.former }];
    if (all.length === 0) {
      throw new VaultError(
        "untrusted",
        "nothing here says whose vault this is: neither the key file nor VAULT_RUN_OWNER names the owner's verify key",
        "use the key file as `vault-run add-agent` wrote it, or set VAULT_RUN_OWNER to the owner's verify key",
      );
    }
    const before = verified?.find(VAULT_PATH, bytes);
    const record = (
      before === undefined ? decodeRecord(VAULT_PATH, bytes) : JSON.parse(bytes.toString("utf8"))
    ) as VaultRecord;
    const owners =
      before === undefined
        ? verifyVaultRecord(record, all)
        : new Set(record.owners.map((owner) => owner.verifyKey));
    for (const { recipient } of record.owners) requireSuite(VAULT_PATH, recipient, record.suite);
    const vault = new Vault(record, owners, files, pins, verified);
    const pin = before ?? { serial: record.serial, digest: recordDigest(signedBytes(record)) };
    vault.#remember(VAULT_PATH, record, pin);
    if (before === undefined) verified?.add(VAULT_PATH, bytes, pin);
    return vault;
  }

  get id(): VaultId {
    return this.record.vault;
  }

  get suite(): Suite {
    return this.record.suite;
  }

  /** The owners' verify keys. */
  get owners(): readonly VerifyKey[] {
    return [...this.#owners];
  }

  /** The keys of those who are owners, and of those who were. */
  get ownerKeys(): OwnerKeys {
    return ownerKeys(this.record);
  }

  /** Whether an owner of this vault signed the record: for records that were read elsewhere, from git's history say. */
  isSigned(record: SignedRecord): boolean {
    return record.vault === this.id && findSigner(record, signedBytes(record), this.#owners) !== undefined;
  }

  /** Pins what was read, and remembers that it was verified. Call only after everything checked out. */
  async pin(self: LockSelf): Promise<void> {
    await this.pins.save(this.#seen, this.ownerKeys, self, () => this.#stands());
    const pinned = this.pins.findOwners();
    if (pinned !== undefined) this.#verified?.save(pinned);
  }

  /** Whether every record that was read is there as it was read. */
  #stands(): boolean {
    try {
      return [...this.#seen].every(([path, { digest }]) => {
        const bytes = this.files.read(path);
        return bytes !== undefined && recordDigest(signedBytes(decodeRecord(path, bytes))) === digest;
      });
    } catch (error) {
      // What was read as a record and is none now.
      if (error instanceof VaultError) return false;
      throw error;
    }
  }

  /** Every record read so far. */
  get seen(): ReadonlyMap<RecordPath, Pin> {
    return this.#seen;
  }

  /** The verified record at a path, of whatever epoch; undefined where there is none and none was seen before. */
  find(path: RecordPath): SignedRecord | undefined {
    return this.#find(path);
  }

  /** Every record there is, verified, of whatever epoch. */
  readAll(): Map<RecordPath, SignedRecord> {
    const all = new Map<RecordPath, SignedRecord>();
    for (const path of new Set([...this.files.paths(), ...this.pins.paths()])) {
      const record = findPlace(path) === undefined ? undefined : this.#find(path as RecordPath);
      if (record !== undefined) all.set(path as RecordPath, record);
    }
    return all;
  }

  /** The highest serial known for a path, here or on this machine; 0 where there is none. */
  lastSerial(path: RecordPath): number {
    const here = this.#find(path)?.serial ?? 0;
    return Math.max(here, this.pins.find(path)?.serial ?? 0);
  }

  findAgent(name: AgentName): AgentRecord | AgentTombstone | undefined {
    return this.#find(agentPath(name)) as AgentRecord | AgentTombstone | undefined;
  }

  agent(name: AgentName): AgentRecord {
    const record = this.findAgent(name);
    if (record?.type === "agent") return record;
    const what =
      record === undefined
        ? "no agent of this name"
        : `this agent was removed on ${record.removedAt.slice(0, 10)}`;
    throw new MistypedWord(
      "unknown-agent",
      `${what}: ${name}`,
      "see the agents there are: vault-run agents",
      {
        word: name,
        choices: () => (record === undefined ? this.agents().map((agent) => agent.name) : []),
      },
    );
  }

  /** The agents that were not removed, in name order. */
  agents(): AgentRecord[] {
    const names = this.files.listFolders("agents") as AgentName[];
    this.#requireNone(this.#gone("agents", names).map((name) => agentPath(name as AgentName)));
    return names.map((name) => this.#agentOrTombstone(name)).filter((record) => record.type === "agent");
  }

  /** A folder of grants without the agent they are for would hide it from whoever gives out new keys. */
  #agentOrTombstone(name: AgentName): AgentRecord | AgentTombstone {
    const record = this.findAgent(name);
    if (record === undefined) throw vanished(agentPath(name));
    return record;
  }

  findGrant(agent: AgentName, group: GroupName): GrantRecord | GrantTombstone | undefined {
    const record = this.#find(grantPath(agent, group)) as GrantRecord | GrantTombstone | undefined;
    if (record?.type === "grant")
      this.#requireEpoch(grantPath(agent, group), record.epoch, this.group(group));
    return record;
  }

  /** An agent's grants that were not revoked, expired ones among them, in the groups' name order. */
  grants(agent: AgentName): GrantRecord[] {
    const groups = this.#listed<GroupName>(`agents/${agent}/grants`, agentScope(agent));
    return groups.map((group) => this.findGrant(agent, group)).filter((record) => record?.type === "grant");
  }

  /** Who holds a grant of a group, in name order. */
  grantees(group: GroupName): { agent: AgentRecord; grant: GrantRecord }[] {
    const found: { agent: AgentRecord; grant: GrantRecord }[] = [];
    for (const agent of this.agents()) {
      this.#requireComplete(agentScope(agent.name));
      const grant = this.findGrant(agent.name, group);
      if (grant?.type === "grant") found.push({ agent, grant });
    }
    return found;
  }

  findGroup(name: GroupName): GroupRecord | undefined {
    return this.#find(groupPath(name)) as GroupRecord | undefined;
  }

  group(name: GroupName): GroupRecord {
    const record = this.findGroup(name);
    if (record !== undefined) return record;
    const what = `no group of this name: ${name}`;
    const hint = `see the groups there are: vault-run list; its first secret makes one: vault-run set ${name}/NAME`;
    throw new MistypedWord("unknown-group", what, hint, {
      word: name,
      choices: () => this.groups().map((group) => group.name),
    });
  }

  groups(): GroupRecord[] {
    const names = this.files.listFolders("groups") as GroupName[];
    this.#requireNone(this.#gone("groups", names).map((name) => groupPath(name as GroupName)));
    return names.map((name) => this.#groupOrVanished(name));
  }

  #groupOrVanished(name: GroupName): GroupRecord {
    const record = this.findGroup(name);
    if (record === undefined) throw vanished(groupPath(name));
    return record;
  }

  findSecret(ref: SecretRef): SecretRecord | SecretTombstone | undefined {
    const record = this.#find(secretPath(ref.group, ref.name)) as SecretRecord | SecretTombstone | undefined;
    if (record?.type === "secret")
      this.#requireEpoch(secretPath(ref.group, ref.name), record.epoch, this.group(ref.group));
    return record;
  }

  secret(ref: SecretRef): SecretRecord {
    const record = this.findSecret(ref);
    if (record?.type === "secret") return record;
    this.group(ref.group);
    const place = formatRef(ref);
    if (record !== undefined) {
      const when = record.removedAt.slice(0, 10);
      const hint = `its versions: vault-run history ${place}`;
      throw new VaultError("unknown-secret", `this secret was removed on ${when}: ${place}`, hint);
    }
    const what = `no secret of this name: ${place}`;
    throw new MistypedWord("unknown-secret", what, `see what there is: vault-run list ${ref.group}`, {
      word: ref.name,
      choices: () => this.secrets(ref.group).map((secret) => secret.name),
      before: `${ref.group}/`,
    });
  }

  /** Every secret's name that a group has or had: a removed one keeps its name by its tombstone. */
  takenNames(group: GroupName): SecretName[] {
    return this.#listed<SecretName>(`groups/${group}/secrets`, groupScope(group));
  }

  /** A group's secrets that were not removed, in name order. */
  secrets(group: GroupName): SecretRecord[] {
    const records = this.takenNames(group).map((name) => this.findSecret({ group, name }));
    return records.filter((record) => record?.type === "secret");
  }

  /** The names in a folder of records, of a scope in which none is missing. */
  #listed<Name extends string>(folder: string, scope: Scope): Name[] {
    const paths = this.files.list(folder);
    this.#requireComplete(scope, new Set(paths));
    return paths.map((path) => path.slice(folder.length + 1, -".json".length) as Name);
  }

  #find(path: RecordPath): SignedRecord | undefined {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const bytes = this.files.read(path);
    if (bytes === undefined) {
      if (this.pins.expects(path)) throw vanished(path);
      return undefined;
    }
    const before = this.#verified?.find(path, bytes);
    if (before !== undefined) {
      const record = JSON.parse(bytes.toString("utf8")) as SignedRecord;
      this.#remember(path, record, before);
      return record;
    }
    const record = decodeRecord(path, bytes);
    const message = signedBytes(record);
    this.#verify(path, record, message);
    const pin = { serial: record.serial, digest: recordDigest(message) };
    this.#remember(path, record, pin);
    this.#verified?.add(path, bytes, pin);
    return record;
  }

  #verify(path: RecordPath, record: SignedRecord, message: Buffer): void {
    if (record.vault !== this.id) {
      throw new VaultError(
        "wrong-vault",
        `a record of another vault: .vault/${path}`,
        `restore it from a commit that was good: git log -- .vault/${path}`,
      );
    }
    if (findSigner(record, message, this.#owners) === undefined) {
      throw new VaultError(
        "record-signature",
        `no owner of this vault signed this record: .vault/${path}`,
        `see who changed it: git log -- .vault/${path}`,
      );
    }
    if ("recipient" in record) requireSuite(path, record.recipient, this.suite);
  }

  #remember(path: RecordPath, record: SignedRecord, pin: Pin): void {
    this.pins.check(path, pin);
    this.#read.set(path, record);
    this.#seen.set(path, pin);
  }

  #gone(top: "agents" | "groups", names: readonly string[]): string[] {
    return this.pins.namesIn(top).filter((seen) => !names.includes(seen));
  }

  #requireNone(gone: readonly RecordPath[]): void {
    const expected = gone.find((path) => this.pins.expects(path));
    if (expected !== undefined) throw vanished(expected);
  }

  /** Every record of a scope that was ever seen here must still be there: removal leaves a signed tombstone. */
  #requireComplete(scope: Scope, listed: ReadonlySet<RecordPath> = NOTHING_LISTED): void {
    if (this.#completeScopes.has(scope) || scope === ROOT_SCOPE) return;
    for (const path of this.pins.pathsIn(scope)) {
      // A path that stands in another scope's file of pins is expected too: whoever put it there did not vouch for less.
      const isExpected = scopeOf(path) !== scope || this.pins.expects(path);
      if (!listed.has(path) && !this.files.has(path) && isExpected) throw vanished(path);
    }
    this.#completeScopes.add(scope);
  }

  #requireEpoch(path: RecordPath, epoch: number, group: GroupRecord): void {
    if (epoch === group.epoch) return;
    throw new VaultError(
      "record-epoch",
      `made for epoch ${epoch} of a group that is at epoch ${group.epoch}: .vault/${path}`,
      "a merge or a half-finished pull left the two out of step; pull the latest vault, or have the owner set it again",
    );
  }
}

/** Whoever a link of a verified vault.json leads from or to was an owner once. */
export function ownerKeys({ owners, succession }: VaultRecord): OwnerKeys {
  const current = owners.map((owner) => owner.verifyKey);
  const linked = new Set(succession.flatMap((link) => [link.from, link.to]));
  return { current, former: [...linked].filter((key) => !current.includes(key)) };
}

const NOTHING_LISTED: ReadonlySet<RecordPath> = new Set();

/** age forbids mixing suites in one file; a vault keeps to one throughout. */
function requireSuite(path: RecordPath, recipient: Recipient, suite: Suite): void {
  if (suiteOf(recipient) === suite) return;
  throw new VaultError(
    "record-invalid",
    `not a valid record, its recipient is not of the vault's suite (${suite}): .vault/${path}`,
    `restore it from a commit that was good: git log -- .vault/${path}`,
  );
}

export function vanished(path: RecordPath): VaultError {
  return new VaultError(
    "record-missing",
    `a record is gone without a tombstone: .vault/${path}`,
    `where this clone is behind, pull; otherwise see who removed it (git log -- .vault/${path}), bring it back, and remove with vault-run only`,
  );
}

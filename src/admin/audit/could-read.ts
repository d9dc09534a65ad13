import type { ValueReads } from "../../audit/value-reads.ts";
import type { Repository } from "../../git/repository.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { AgentName, GroupName, SecretName } from "../../vault/names.ts";
import { isPast } from "../../vault/time.ts";
import type { Vault } from "../../vault/vault.ts";
import { readGroupHistory, readOwnersEver } from "../group-history.ts";
import { type Holder, holdersOf } from "../key-holders.ts";
import type { OwnersEver } from "../owners-ever.ts";
import { later } from "../plans/group-key.ts";
import type { AuditAnswers } from "./answers.ts";
import { isMeant, type LineFilter } from "./filter.ts";

// What each agent could have read, now or at any time, beside what lines say that it did. Could: whoever was ever granted
// the key that a version of a secret in git's history was sealed to, whether before it was set or after; and what owners
// noted when they took access away, which a shallow clone has too.

/** What an agent could have read of a secret, beside what it did read. */
export interface CouldRead {
  readonly agent: string;
  readonly group: string;
  readonly name: string;
  /** Since when it could read a value of it; null where nothing here says that it could, and it did. */
  readonly since: string | null;
  /** Whether it may read the value of today. */
  readonly now: boolean;
  /** How many values it could have read, and how many of these a line says were opened for it. */
  readonly values: number;
  readonly valuesRead: number;
  readonly pulls: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** What was pulled, as far as the lines of the filter say. */
type Pulled = Pick<AuditAnswers, "totals" | "reads">;

interface Access {
  readonly agent: string;
  readonly group: string;
  readonly name: string;
  since: string | null;
  now: boolean;
  /** By value, the keys that open it. */
  readonly values: Map<string, Set<string>>;
}

/** In the order of agents, groups and names. */
export async function couldRead(
  repository: Repository,
  vault: Vault,
  { totals, reads }: Pulled,
  filter: LineFilter,
  nowMs: number,
): Promise<CouldRead[]> {
  const found = new Accesses();
  const owners = await readOwnersEver(repository, vault);
  for (const { name } of vault.groups()) {
    if (filter.group !== undefined && filter.group !== name) continue;
    if (filter.secret !== undefined && filter.secret.group !== name) continue;
    await addPast(found, repository, vault, name, filter.secret?.name, owners);
    addPresent(found, vault, name, nowMs);
  }
  for (const { agent, group, name } of totals) if (agent !== null) found.of(agent, group, name);
  const pulled = new Map(totals.map((total) => [idOf(total.agent ?? "", total.group, total.name), total]));
  return found
    .list()
    .filter(({ agent }) => filter.agent === undefined || filter.agent === agent)
    .filter(({ group, name }) => isMeant(filter, group, name))
    .map(({ values, ...access }) => {
      const total = pulled.get(idOf(access.agent, access.group, access.name));
      return {
        ...access,
        values: values.size,
        valuesRead: countRead(values, reads),
        pulls: total?.pulls ?? 0,
        first: total?.first ?? null,
        last: total?.last ?? null,
      };
    });
}

function countRead(values: ReadonlyMap<string, ReadonlySet<string>>, reads: ValueReads): number {
  const read = [...values].filter(([value, keys]) =>
    [...keys].some((key) => reads.find(key, value) !== undefined),
  );
  return read.length;
}

async function addPast(
  found: Accesses,
  repository: Repository,
  vault: Vault,
  group: GroupName,
  name: SecretName | undefined,
  owners: OwnersEver,
): Promise<void> {
  const names = name === undefined ? undefined : [name];
  const { past, beside } = await readGroupHistory(repository, vault, group, names, ["HEAD"], owners);
  for (const [{ record }, holders] of holdersOf(past, beside)) {
    if (record.type !== "secret") continue;
    for (const holder of holders) found.add(holder, group, record.name, record.valueId);
  }
}

/** What stands in the work tree may not be committed yet. */
function addPresent(found: Accesses, vault: Vault, group: GroupName, nowMs: number): void {
  const grantees = vault.grantees(group);
  for (const { name, valueId, setAt, exposedTo } of vault.secrets(group)) {
    for (const noted of exposedTo) if ("agent" in noted) found.add(noted, group, name, valueId);
    for (const { agent, grant } of grantees) {
      const holder = {
        agent: agent.name,
        key: keyFingerprint(agent.verifyKey),
        since: later(grant.grantedAt, setAt),
      };
      const access = found.add(holder, group, name, valueId);
      if (grant.expiresAt === undefined || !isPast(grant.expiresAt, nowMs)) access.now = true;
    }
  }
}

class Accesses {
  readonly #found = new Map<string, Access>();

  of(agent: AgentName | string, group: string, name: string): Access {
    const id = idOf(agent, group, name);
    const known = this.#found.get(id);
    if (known !== undefined) return known;
    const made: Access = { agent, group, name, since: null, now: false, values: new Map() };
    this.#found.set(id, made);
    return made;
  }

  add({ agent, key, since }: Holder, group: string, name: string, valueId: string): Access {
    const access = this.of(agent, group, name);
    if (access.since === null || since < access.since) access.since = since;
    const keys = access.values.get(valueId) ?? new Set();
    access.values.set(valueId, keys.add(key));
    return access;
  }

  list(): Access[] {
    return [...this.#found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, access]) => access);
  }
}

function idOf(agent: string, group: string, name: string): string {
  return `${agent} ${group}/${name}`;
}

import { formatRef } from "../../vault/names.ts";
import { agentPath, groupPath, type RecordPath } from "../../vault/paths.ts";
import type { GrantRecord, SecretRecord, SignedRecord } from "../../vault/schema.ts";
import { isPast, type Timestamp } from "../../vault/time.ts";
import type { Finding } from "./finding.ts";

// What verified records say together: whether each stands where the others expect it, and whose time has passed. Each
// may be signed and new, and the whole be wrong all the same, where git merged two branches that did not know of each other.

export const SOON_MS = 30 * 86_400_000;
const RESOLVE = "vault-run resolve";

type Records = ReadonlyMap<RecordPath, SignedRecord>;

export function checkStructure(records: Records, nowMs: number): Finding[] {
  return [...records].flatMap(([path, record]) => {
    switch (record.type) {
      case "grant":
        return [
          ...checkGrant(records, path, record),
          ...checkTime(path, grantName(record), record, nowMs, renewGrant(record)),
        ];
      case "secret":
        return [
          ...checkEpoch(records, path, record),
          ...checkTime(path, formatRef(record), record, nowMs, renewValue(record)),
        ];
      case "agent":
        return hasGrant(records, record.name) ? [] : [idle(path, record.name)];
      default:
        return [];
    }
  });
}

function checkGrant(records: Records, path: RecordPath, grant: GrantRecord): Finding[] {
  const agent = records.get(agentPath(grant.agent));
  if (agent?.type === "agent") return checkEpoch(records, path, grant);
  const gone = agent === undefined ? "no agent of this name has a record" : "the agent was removed";
  return [
    {
      level: "error",
      kind: "orphan",
      where: path,
      what: `${gone}, and here is a grant for it: .vault/${path}`,
      next: `take the grant away: ${RESOLVE}`,
    },
  ];
}

function checkEpoch(records: Records, path: RecordPath, record: GrantRecord | SecretRecord): Finding[] {
  const group = records.get(groupPath(record.group));
  if (group?.type !== "group") {
    return [
      {
        level: "error",
        kind: "orphan",
        where: path,
        what: `its group has no valid record: .vault/${path}`,
        next: `restore it from a commit that was good: git log -- .vault/${groupPath(record.group)}`,
      },
    ];
  }
  if (group.epoch === record.epoch) return [];
  return [
    {
      level: "error",
      kind: "record-epoch",
      where: path,
      what: `sealed under a key that its group no longer has (epoch ${record.epoch}, the group is at ${group.epoch}): .vault/${path}`,
      next: `two branches were merged that did not know of each other: ${RESOLVE}`,
    },
  ];
}

function checkTime(
  path: RecordPath,
  name: string,
  { expiresAt }: { readonly expiresAt?: Timestamp },
  nowMs: number,
  next: string,
): Finding[] {
  if (expiresAt === undefined || !isPast(expiresAt, nowMs + SOON_MS)) return [];
  const isOver = isPast(expiresAt, nowMs);
  return [
    {
      level: isOver ? "error" : "note",
      kind: isOver ? "expired" : "expires",
      where: path,
      what: `${isOver ? "expired on" : "expires on"} ${expiresAt.slice(0, 10)}: ${name}`,
      next,
    },
  ];
}

function renewGrant({ agent, group }: GrantRecord): string {
  return `grant it again, vault-run grant ${agent} ${group} --expires WHEN, or revoke it: vault-run revoke ${agent} ${group}`;
}

function renewValue(secret: SecretRecord): string {
  return `give it a new value: vault-run set ${formatRef(secret)} --expires WHEN`;
}

function grantName({ agent, group }: GrantRecord): string {
  return `the grant of ${group} to ${agent}`;
}

function hasGrant(records: Records, agent: string): boolean {
  return [...records.values()].some((record) => record.type === "grant" && record.agent === agent);
}

function idle(path: RecordPath, agent: string): Finding {
  return {
    level: "note",
    kind: "no-grants",
    where: path,
    what: `an agent without grants: ${agent}`,
    next: `grant it a group (vault-run grant ${agent} GROUP), or remove it (vault-run remove-agent ${agent})`,
  };
}

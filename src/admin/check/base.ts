import { keyFingerprint } from "../../vault/fingerprint.ts";
import type { RecordPath } from "../../vault/paths.ts";
import { allowsCommand, formatCommandRule, type GroupPolicy } from "../../vault/policy.ts";
import { recordDigest, signedBytes } from "../../vault/record.ts";
import type { AgentRecord, GroupRecord, SignedRecord, VaultRecord } from "../../vault/schema.ts";
import type { Finding } from "./finding.ts";

// What a pull request changes, for who reviews it: whatever an attacker with push rights could do without an owner's key
// is put back older records or leave some out, and whom an owner lets in, and what to, should be seen by name.

const MEANT = "make sure that this is meant";

type Records = ReadonlyMap<RecordPath, SignedRecord>;

/**
 * Compares a vault with the one it is to replace. The files that did not verify are findings already.
 *
 * @param present every file there is now, verified or not.
 */
export function checkAgainstBase(base: Records, now: Records, present: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  for (const [path, before] of base) {
    const after = now.get(path);
    if (after !== undefined) findings.push(...compare(path, before, after));
    else if (!present.has(path)) findings.push(vanished(path));
  }
  return [...findings, ...newLeave(base, now)];
}

function compare(path: RecordPath, before: SignedRecord, after: SignedRecord): Finding[] {
  if (after.serial > before.serial) return [];
  if (after.serial === before.serial && digestOf(after) === digestOf(before)) return [];
  const isLower = after.serial < before.serial;
  return [
    {
      level: "error",
      kind: isLower ? "record-rollback" : "record-conflict",
      where: path,
      what: isLower
        ? `older than in the base (serial ${after.serial}, there ${before.serial}): .vault/${path}`
        : `another record than in the base under the same serial (${after.serial}): .vault/${path}`,
      next: "do not merge this; see who put it there: git log",
    },
  ];
}

function digestOf(record: SignedRecord): string {
  return recordDigest(signedBytes(record));
}

function vanished(path: RecordPath): Finding {
  return {
    level: "error",
    kind: "record-missing",
    where: path,
    what: `in the base and gone without a tombstone: .vault/${path}`,
    next: "do not merge this; remove with vault-run only",
  };
}

/** Who may now open what they could not, and what may now be done that could not be. */
function newLeave(base: Records, now: Records): Finding[] {
  return [...now].flatMap(([path, record]) => {
    const before = base.get(path);
    switch (record.type) {
      case "agent":
        return newAgent(path, record, before);
      case "vault":
        return newOwners(path, record, before);
      case "grant":
        return before?.type === "grant"
          ? []
          : [newReader(path, `new grant: ${record.agent} may open group ${record.group}`)];
      case "group":
        return widerPolicy(path, record, before);
      default:
        return [];
    }
  });
}

function newAgent(path: RecordPath, agent: AgentRecord, before: SignedRecord | undefined): Finding[] {
  if (before?.type === "agent" && before.recipient === agent.recipient) return [];
  const what = before?.type === "agent" ? "an agent with a new key" : "a new agent";
  return [newReader(path, `${what}: ${agent.name}, key ${keyFingerprint(agent.verifyKey)}`)];
}

function newOwners(path: RecordPath, vault: VaultRecord, before: SignedRecord | undefined): Finding[] {
  const known = new Set(before?.type === "vault" ? before.owners.map((owner) => owner.verifyKey) : []);
  const added = vault.owners.filter((owner) => !known.has(owner.verifyKey));
  return added.map((owner) =>
    newReader(path, `a new owner: ${owner.name}, key ${keyFingerprint(owner.verifyKey)}`),
  );
}

function widerPolicy(
  path: RecordPath,
  { name, policy }: GroupRecord,
  before: SignedRecord | undefined,
): Finding[] {
  // A group that is new is compared with one that was made without a policy.
  const old: GroupPolicy = before?.type === "group" ? before.policy : {};
  const origins = (policy.origins ?? []).filter((origin) => !old.origins?.includes(origin));
  return [
    ...(policy.reveal === true && old.reveal !== true ? ["get_secret may show its values"] : []),
    ...newCommands(old, policy).map((rule) => `commands may have its values: ${rule}`),
    ...origins.map((origin) => `its values may be sent to ${origin}`),
  ].map((what) => wider(path, `group ${name}: ${what}`));
}

function newCommands(old: GroupPolicy, { commands }: GroupPolicy): string[] {
  if (commands === undefined) return old.commands === undefined ? [] : ["any"];
  return commands.filter((rule) => !allowsCommand(old, rule)).map(formatCommandRule);
}

function newReader(where: string, what: string): Finding {
  return { level: "note", kind: "new-reader", where, what, next: MEANT };
}

function wider(where: string, what: string): Finding {
  return { level: "note", kind: "wider-policy", where, what, next: MEANT };
}

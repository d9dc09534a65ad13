import { SOON_MS } from "../../admin/check/structure.ts";
import {
  type ExposedAgent,
  type ExposedSecret,
  findExposed,
  findExposedAgents,
} from "../../admin/exposed.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import { formatRef } from "../../vault/names.ts";
import { type ShownPolicy, shownPolicy } from "../../vault/policy.ts";
import { isPast, type Timestamp } from "../../vault/time.ts";
import type { Vault } from "../../vault/vault.ts";

export interface Expiry {
  readonly what: string;
  readonly expiresAt: Timestamp;
  readonly expired: boolean;
  /** What gives it more time. */
  readonly renew: string;
}

/** What `status --json` prints. */
export interface Status {
  readonly vault: string;
  readonly suite: string;
  readonly audit: string;
  readonly owners: readonly { readonly name: string; readonly key: string; readonly verifyKey: string }[];
  readonly groups: readonly {
    readonly name: string;
    readonly epoch: number;
    readonly secrets: number;
    readonly policy: ShownPolicy;
  }[];
  readonly agents: readonly { readonly name: string; readonly groups: readonly string[] }[];
  /** What has expired, or will within 30 days. */
  readonly expiring: readonly Expiry[];
  readonly rotate: readonly ExposedSecret[];
  readonly rekey: readonly ExposedAgent[];
}

export function statusOf(vault: Vault, nowMs: number): Status {
  const groups = vault.groups().map((group) => ({ ...group, secrets: vault.secrets(group.name) }));
  const agents = vault.agents().map((agent) => ({ name: agent.name, grants: vault.grants(agent.name) }));
  const values = groups.flatMap((group) =>
    group.secrets.map((secret) => ({
      what: formatRef(secret),
      expiresAt: secret.expiresAt,
      renew: `vault-run set ${formatRef(secret)} --expires WHEN`,
    })),
  );
  const grants = agents.flatMap(({ name, grants: own }) =>
    own.map((grant) => ({
      what: `${grant.group} for ${name}`,
      expiresAt: grant.expiresAt,
      renew: `vault-run grant ${name} ${grant.group} --expires WHEN`,
    })),
  );
  const soon = [...values, ...grants].flatMap(({ what, expiresAt, renew }) =>
    expiresAt !== undefined && isPast(expiresAt, nowMs + SOON_MS)
      ? [{ what, expiresAt, expired: isPast(expiresAt, nowMs), renew }]
      : [],
  );
  return {
    vault: vault.id,
    suite: vault.suite,
    audit: vault.record.policy.audit,
    owners: vault.record.owners.map(({ name, verifyKey }) => ({
      name,
      key: keyFingerprint(verifyKey),
      verifyKey,
    })),
    groups: groups.map(({ name, epoch, secrets, policy }) => ({
      name,
      epoch,
      secrets: secrets.length,
      policy: shownPolicy(policy),
    })),
    agents: agents.map(({ name, grants: own }) => ({ name, groups: own.map((grant) => grant.group) })),
    expiring: soon.sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1)),
    rotate: findExposed(vault, nowMs),
    rekey: findExposedAgents(vault),
  };
}

import { SOON_MS } from "../../admin/check/structure.ts";
import { keyFingerprint } from "../../vault/fingerprint.ts";
import { formatRef } from "../../vault/names.ts";
import { isPast, type Timestamp } from "../../vault/time.ts";
import type { Vault } from "../../vault/vault.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { sayExpiredGrants } from "../expired-grants.ts";
import {
  type ExposedAgent,
  type ExposedSecret,
  findExposed,
  findExposedAgents,
  readerName,
} from "../exposed.ts";
import { layMatrix } from "../matrix.ts";
import { withVault } from "../reader.ts";
import { counted, spanTo } from "../wording.ts";

const DAY_MS = 86_400_000;
const ROTATE_IN_WINDOW = 10;
const VERY_SOON_MS = 7 * DAY_MS;

interface Expiry {
  readonly what: string;
  readonly expiresAt: Timestamp;
  readonly expired: boolean;
  /** What gives it more time. */
  readonly renew: string;
}

interface Status {
  readonly vault: string;
  readonly suite: string;
  readonly audit: string;
  readonly owners: readonly { readonly name: string; readonly key: string; readonly verifyKey: string }[];
  readonly groups: readonly { readonly name: string; readonly epoch: number; readonly secrets: number }[];
  readonly agents: readonly { readonly name: string; readonly groups: readonly string[] }[];
  /** What has expired, or will within 30 days. */
  readonly expiring: readonly Expiry[];
  readonly rotate: readonly ExposedSecret[];
  readonly rekey: readonly ExposedAgent[];
}

export function run(context: CommandContext): Promise<number> {
  return withVault(context, ({ vault }) => {
    const nowMs = context.machine.now();
    const status = statusOf(vault, nowMs);
    if (context.has("json")) context.console.printJson(status);
    else print(context, status);
    sayExpiring(context, status.expiring, nowMs);
    sayExpiredGrants(context, vault);
    return DONE;
  });
}

/** What a week is left for, in words. */
function sayExpiring({ console }: CommandContext, expiring: readonly Expiry[], nowMs: number): void {
  const near = expiring.filter(
    ({ expiresAt, expired }) => !expired && isPast(expiresAt, nowMs + VERY_SOON_MS),
  );
  for (const { what, expiresAt, renew } of near) {
    console.say(`${what} expires ${spanTo(expiresAt, nowMs)}`);
    console.detail(renew);
  }
}

function statusOf(vault: Vault, nowMs: number): Status {
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
    groups: groups.map(({ name, epoch, secrets }) => ({ name, epoch, secrets: secrets.length })),
    agents: agents.map(({ name, grants: own }) => ({ name, groups: own.map((grant) => grant.group) })),
    expiring: soon.sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1)),
    rotate: findExposed(vault, nowMs),
    rekey: findExposedAgents(vault),
  };
}

function print({ console }: CommandContext, status: Status): void {
  console.print(`vault ${status.vault}, suite ${status.suite}, audit ${status.audit}`);
  for (const owner of status.owners) console.print(`owner ${owner.name}, verify key ${owner.verifyKey}`);
  console.print();
  printMatrix(console, status);
  if (status.expiring.length > 0) {
    console.print();
    console.table([
      ["EXPIRES", "WHAT"],
      ...status.expiring.map((entry) => [
        `${entry.expiresAt.slice(0, 10)}${entry.expired ? " (past)" : ""}`,
        entry.what,
      ]),
    ]);
  }
  if (status.rekey.length > 0) {
    console.print();
    console.table([
      ["REKEY FIRST", "KEY OPEN TO"],
      ...status.rekey.map(({ agent, owners }) => [agent, owners.map(readerName).join(", ")]),
    ]);
  }
  printRotate(console, status.rotate);
}

function printRotate(console: CommandContext["console"], rotate: readonly ExposedSecret[]): void {
  if (rotate.length === 0) return;
  // In a window the rest of the page must not scroll away.
  const shown = console.columns === Number.POSITIVE_INFINITY ? rotate : rotate.slice(0, ROTATE_IN_WINDOW);
  console.print();
  console.table([
    ["ROTATE", "READABLE BY"],
    ...shown.map((secret) => [formatRef(secret), [...new Set(secret.readers.map(readerName))].join(", ")]),
  ]);
  if (shown.length < rotate.length)
    console.print(`and ${rotate.length - shown.length} more: vault-run rotation`);
}

function printMatrix(console: CommandContext["console"], status: Status): void {
  if (status.agents.length === 0 || status.groups.length === 0) {
    console.print(`${counted(status.agents.length, "agent")}, ${counted(status.groups.length, "group")}`);
    return;
  }
  const { legend, blocks } = layMatrix(status.agents, status.groups, console.columns);
  for (const line of legend) console.print(line);
  for (const [at, block] of blocks.entries()) {
    if (at > 0 || legend.length > 0) console.print();
    console.table(block);
  }
}

import { keyFingerprint } from "../../vault/fingerprint.ts";
import { formatRef } from "../../vault/names.ts";
import { isPast, type Timestamp } from "../../vault/time.ts";
import type { Vault } from "../../vault/vault.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import {
  type ExposedAgent,
  type ExposedSecret,
  findExposed,
  findExposedAgents,
  readerName,
} from "../exposed.ts";
import { layMatrix } from "../matrix.ts";
import { withVault } from "../reader.ts";
import { counted } from "../wording.ts";

const SOON_MS = 30 * 86_400_000;

interface Expiry {
  readonly what: string;
  readonly expiresAt: Timestamp;
  readonly expired: boolean;
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
    const status = statusOf(vault, context.machine.now());
    if (context.has("json")) context.console.printJson(status);
    else print(context, status);
    return DONE;
  });
}

function statusOf(vault: Vault, nowMs: number): Status {
  const groups = vault.groups().map((group) => ({ ...group, secrets: vault.secrets(group.name) }));
  const agents = vault.agents().map((agent) => ({ name: agent.name, grants: vault.grants(agent.name) }));
  const values = groups.flatMap((group) =>
    group.secrets.map((secret) => ({ what: formatRef(secret), expiresAt: secret.expiresAt })),
  );
  const grants = agents.flatMap(({ name, grants: own }) =>
    own.map((grant) => ({ what: `${grant.group} for ${name}`, expiresAt: grant.expiresAt })),
  );
  const soon = [...values, ...grants].flatMap(({ what, expiresAt }) =>
    expiresAt !== undefined && isPast(expiresAt, nowMs + SOON_MS)
      ? [{ what, expiresAt, expired: isPast(expiresAt, nowMs) }]
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
    rotate: findExposed(vault),
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
  if (status.rotate.length === 0) return;
  console.print();
  console.table([
    ["ROTATE", "READABLE BY"],
    ...status.rotate.map((secret) => [
      formatRef(secret),
      [...new Set(secret.readers.map(readerName))].join(", "),
    ]),
  ]);
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

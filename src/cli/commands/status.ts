import { type ExposedSecret, readerName } from "../../admin/exposed.ts";
import { formatRef } from "../../vault/names.ts";
import { isPast } from "../../vault/time.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { sayExpiredGrants } from "../expired-grants.ts";
import { type Expiry, type Status, statusOf } from "../listings/status.ts";
import { layMatrix } from "../matrix.ts";
import { hasRules, policyLines } from "../policy-lines.ts";
import { withVault } from "../reader.ts";
import { counted, spanTo } from "../wording.ts";

const DAY_MS = 86_400_000;
const ROTATE_IN_WINDOW = 10;
const VERY_SOON_MS = 7 * DAY_MS;

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

function print({ console }: CommandContext, status: Status): void {
  console.print(`vault ${status.vault}, suite ${status.suite}, audit ${status.audit}`);
  for (const owner of status.owners) console.print(`owner ${owner.name}, verify key ${owner.verifyKey}`);
  console.print();
  printMatrix(console, status);
  const ruled = status.groups.filter(({ policy }) => hasRules(policy));
  if (ruled.length > 0) {
    console.print();
    console.table([
      ["POLICY", "THROUGH vault-run mcp"],
      ...ruled.map(({ name, policy }) => [name, policyLines(policy).join("; ")]),
    ]);
  }
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

import { listSecrets } from "../../admin/listings/secrets.ts";
import { formatRef, parseGroupName } from "../../vault/names.ts";
import { isPast, parseAge } from "../../vault/time.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { withVault } from "../reader.ts";

export function run(context: CommandContext): Promise<number> {
  const stale = context.text("stale");
  const age = stale === undefined ? undefined : parseAge(stale);
  return withVault(context, ({ vault }) => {
    const word = context.findWord(0);
    const groups = word === undefined ? vault.groups() : [vault.group(parseGroupName(word))];
    const all = groups.flatMap((group) => vault.secrets(group.name));
    const nowMs = context.machine.now();
    const secrets = all.filter((secret) => age === undefined || isPast(secret.setAt, nowMs - age));
    if (context.has("json")) {
      context.console.printJson({ secrets: listSecrets(vault, secrets, nowMs) });
      return DONE;
    }
    if (secrets.length === 0) {
      context.console.say(all.length === 0 ? noSecrets(word) : `no value is older than ${stale}`);
      return DONE;
    }
    const rows = secrets.map((secret) => [
      formatRef(secret),
      secret.env ?? secret.name,
      secret.deliver,
      secret.setAt.slice(0, 10),
      secret.expiresAt?.slice(0, 10) ?? "-",
      secret.description ?? "-",
    ]);
    context.console.table([["SECRET", "VARIABLE", "AS", "SET", "EXPIRES", "DESCRIPTION"], ...rows]);
    return DONE;
  });
}

function noSecrets(group: string | undefined): string {
  return group === undefined
    ? "no secrets yet; add one with vault-run set GROUP/NAME"
    : `no secrets in ${group}`;
}

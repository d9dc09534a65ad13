import { formatRef, parseGroupName } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { withVault } from "../reader.ts";

export function run(context: CommandContext): Promise<number> {
  return withVault(context, ({ vault }) => {
    const word = context.findWord(0);
    const groups = word === undefined ? vault.groups() : [vault.group(parseGroupName(word))];
    const secrets = groups.flatMap((group) => vault.secrets(group.name));
    if (context.has("json")) {
      context.console.printJson({ secrets: secrets.map(shown) });
      return DONE;
    }
    if (secrets.length === 0) {
      context.console.say(
        word === undefined
          ? "no secrets yet; add one with vault-run set GROUP/NAME"
          : `no secrets in ${word}`,
      );
      return DONE;
    }
    const rows = secrets.map((secret) => [
      formatRef(secret),
      secret.env ?? secret.name,
      secret.deliver,
      secret.setAt.slice(0, 10),
      secret.expiresAt?.slice(0, 10) ?? "-",
      secret.description ?? "",
    ]);
    context.console.table([["SECRET", "VARIABLE", "AS", "SET", "EXPIRES", "DESCRIPTION"], ...rows]);
    return DONE;
  });
}

function shown(secret: SecretRecord) {
  const { group, name, valueId, setAt, expiresAt, description, env, deliver, exposedTo } = secret;
  return {
    group,
    name,
    variable: env ?? name,
    deliver,
    valueId,
    setAt,
    expiresAt: expiresAt ?? null,
    description: description ?? null,
    exposed: exposedTo.length > 0,
  };
}

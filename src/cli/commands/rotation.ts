import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { findExposed } from "../exposed.ts";
import { withVault } from "../reader.ts";

export function run(context: CommandContext): Promise<number> {
  return withVault(context, ({ vault }) => {
    const exposed = findExposed(vault);
    if (context.has("json")) {
      context.console.printJson({ rotate: exposed });
    } else if (exposed.length === 0) {
      context.console.say("nothing to rotate: no current value was readable by anyone no longer authorised");
    } else {
      const rows = exposed.flatMap(({ group, name, readers }) =>
        readers.map((reader) => [
          `${group}/${name}`,
          reader.agent,
          reader.key.slice(0, 16),
          reader.since.slice(0, 16).replace("T", " "),
        ]),
      );
      context.console.table([["ROTATE", "READABLE BY", "KEY", "SINCE (UTC)"], ...rows]);
    }
    return exposed.length === 0 ? DONE : REFUSED;
  });
}

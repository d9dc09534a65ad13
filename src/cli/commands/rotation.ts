import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { findExposed, findExposedAgents, readerName } from "../exposed.ts";
import { withVault } from "../reader.ts";

export function run(context: CommandContext): Promise<number> {
  return withVault(context, ({ vault }) => {
    const rotate = findExposed(vault);
    const rekey = findExposedAgents(vault);
    if (context.has("json")) context.console.printJson({ rotate, rekey });
    else print(context, rotate, rekey);
    return rotate.length === 0 && rekey.length === 0 ? DONE : REFUSED;
  });
}

function print(
  { console }: CommandContext,
  rotate: ReturnType<typeof findExposed>,
  rekey: ReturnType<typeof findExposedAgents>,
): void {
  if (rotate.length === 0 && rekey.length === 0) {
    console.say("nothing to rotate: no current value was readable by anyone no longer authorised");
    return;
  }
  const agents = rekey.flatMap(({ agent, owners }) =>
    owners.map((owner) => [agent, readerName(owner), owner.key.slice(0, 16), minuteOf(owner.since)]),
  );
  if (agents.length > 0) console.table([["REKEY FIRST", "KEY OPEN TO", "KEY", "SINCE (UTC)"], ...agents]);
  if (agents.length > 0 && rotate.length > 0) console.print();
  const values = rotate.flatMap(({ group, name, readers }) =>
    readers.map((reader) => [
      `${group}/${name}`,
      readerName(reader),
      reader.key.slice(0, 16),
      minuteOf(reader.since),
    ]),
  );
  if (values.length > 0) console.table([["ROTATE", "READABLE BY", "KEY", "SINCE (UTC)"], ...values]);
}

function minuteOf(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}

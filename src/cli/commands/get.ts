import { requireUnexpired } from "../../launch/agent-session.ts";
import { parseSecretRef } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { pull } from "../pull.ts";

/** Prints the value's bytes and nothing else; on a terminal a line break follows, so that the prompt stands alone. */
export async function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  using value = await pull(context, {
    group: ref.group,
    choose: (vault, asAgent) => {
      const record = vault.secret(ref);
      if (asAgent && !context.has("allow-expired")) requireUnexpired(record, context.machine.now());
      return [record];
    },
    prepare: ([only]) => {
      if (only === undefined) throw new TypeError("no value was opened");
      return only;
    },
  });
  const { stdout } = context.console.streams;
  await new Promise((resolve) => stdout.write(Buffer.from(value.bytes()), resolve));
  if (stdout.isTTY === true) stdout.write("\n");
  return DONE;
}

import { planUnset } from "../../admin/plans/unset.ts";
import { formatRef, parseSecretRef } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";

export async function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  const done = await change(context, "unset", async (session) => {
    const plan = planUnset(session, ref);
    await context.confirm(`remove ${formatRef(ref)}?`);
    return plan;
  });
  context.console.say(
    `removed ${formatRef(ref)}${commitNote(done)}; git's history still holds its ciphertext`,
  );
  return DONE;
}

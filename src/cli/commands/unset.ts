import { readerName } from "../../admin/exposed.ts";
import { planUnset } from "../../admin/plans/unset.ts";
import { formatRef, parseSecretRef } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";

export async function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  let readers: readonly string[] = [];
  const done = await change(context, "unset", async (session) => {
    const plan = planUnset(session, ref);
    readers = session.vault.secret(ref).exposedTo.map(readerName);
    await context.confirm(`remove ${formatRef(ref)}?`);
    return plan;
  });
  context.console.say(
    `removed ${formatRef(ref)}${commitNote(done)}; git's history still holds its ciphertext`,
  );
  if (readers.length > 0) {
    context.console.detail(
      `${readers.join(", ")} could have read it: end it at its source, for rotation lists no value that is removed`,
    );
  }
  return DONE;
}

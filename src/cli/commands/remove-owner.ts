import { planRemoveOwner, requireRemovable } from "../../admin/plans/remove-owner.ts";
import type { WithoutOwner } from "../../admin/plans/without-owner.ts";
import { parseOwnerName } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote, progressOf } from "../owner-verb.ts";
import { printWithoutOwner } from "../without-owner.ts";
import { shortFingerprint } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const name = parseOwnerName(context.word(0));
  let without: WithoutOwner = { writes: [], exposed: [] };
  const done = await change(context, "remove-owner", async (session) => {
    const { verifyKey } = requireRemovable(session, name);
    await context.confirm(
      `remove owner ${name} (key ${shortFingerprint(verifyKey)}) for good, and give every group a new key?`,
    );
    const planned = await planRemoveOwner(session, name, progressOf(context, "sealing again"));
    without = planned;
    return planned.plan;
  });
  context.console.say(`removed owner ${name}${commitNote(done)}; that key can never be an owner's again`);
  printWithoutOwner(context, without);
  return DONE;
}

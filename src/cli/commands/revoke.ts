import { planRevoke } from "../../admin/plans/revoke.ts";
import { parseAgentName, parseGroupName } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { requireOrder } from "../order.ts";
import { change, commitNote, printExposed, progressOf } from "../owner-verb.ts";
import { counted, shortFingerprint } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const agent = parseAgentName(context.word(0));
  const group = parseGroupName(context.word(1));
  let exposed: readonly SecretRecord[] = [];
  const done = await change(context, "revoke", async (session) => {
    requireOrder(session.vault, "revoke", agent, group);
    const count = session.vault.secrets(session.vault.group(group).name).length;
    const { verifyKey } = session.vault.agent(agent);
    if (session.vault.findGrant(agent, group)?.type === "grant") {
      await context.confirm(
        `revoke ${group} from ${agent} (key ${shortFingerprint(verifyKey)}) and seal ${counted(count, "secret")} again?`,
      );
    }
    const planned = await planRevoke(session, agent, group, progressOf(context, `sealing ${group} again`));
    exposed = planned.exposed;
    return planned.plan;
  });
  context.console.say(
    done.plan.writes.length === 0
      ? `nothing to do: ${group} is revoked from ${agent} already`
      : `revoked ${group} from ${agent}${commitNote(done)}`,
  );
  printExposed(context, exposed);
  return DONE;
}

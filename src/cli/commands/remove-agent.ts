import { planRemoveAgent } from "../../admin/plans/remove-agent.ts";
import { parseAgentName } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote, printExposed, progressOf } from "../owner-verb.ts";
import { named, shortFingerprint } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const name = parseAgentName(context.word(0));
  let exposed: readonly SecretRecord[] = [];
  const done = await change(context, "remove-agent", async (session) => {
    const { verifyKey } = session.vault.agent(name);
    const groups = session.vault.grants(name).map((grant) => grant.group);
    await context.confirm(
      `remove agent ${name} (key ${shortFingerprint(verifyKey)}), and give new keys to ${named(groups)}?`,
    );
    const planned = await planRemoveAgent(session, name, progressOf(context, "sealing again"));
    exposed = planned.exposed;
    return planned.plan;
  });
  context.console.say(`removed agent ${name}${commitNote(done)}`);
  printExposed(context, exposed);
  return DONE;
}

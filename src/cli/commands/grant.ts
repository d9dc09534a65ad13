import { planGrant } from "../../admin/plans/grant.ts";
import { parseAgentName, parseGroupName } from "../../vault/names.ts";
import { parseExpiry } from "../../vault/time.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";
import { counted, shortFingerprint } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const agent = parseAgentName(context.word(0));
  const group = parseGroupName(context.word(1));
  const expires = context.text("expires");
  const expiresAt = expires === undefined ? undefined : parseExpiry(expires, context.machine.now());
  const until = expiresAt === undefined ? "" : ` until ${expiresAt}`;
  const done = await change(context, "grant", async (session) => {
    const { verifyKey } = session.vault.agent(agent);
    const count = session.vault.secrets(session.vault.group(group).name).length;
    await context.confirm(
      `let ${agent} (key ${shortFingerprint(verifyKey)}) open ${counted(count, "secret")} of ${group}${until}?`,
    );
    return planGrant(session, agent, group, expiresAt);
  });
  context.console.say(`granted ${group} to ${agent}${until}${commitNote(done)}`);
  return DONE;
}

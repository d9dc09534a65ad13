import type { Plan } from "../../admin/plan.ts";
import { planGrant } from "../../admin/plans/grant.ts";
import { type AgentName, type GroupName, parseAgentName, parseGroupName } from "../../vault/names.ts";
import type { GrantRecord } from "../../vault/schema.ts";
import { parseExpiry } from "../../vault/time.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { requireOrder } from "../order.ts";
import { change, commitNote } from "../owner-verb.ts";
import { counted, minuteOf, shortFingerprint } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const agent = parseAgentName(context.word(0));
  const group = parseGroupName(context.word(1));
  const expires = context.text("expires");
  const expiresAt = expires === undefined ? undefined : parseExpiry(expires, context.machine.now());
  const until = expiresAt === undefined ? "" : ` until ${minuteOf(expiresAt)} UTC`;
  const done = await change(context, "grant", async (session) => {
    requireOrder(session.vault, "grant", agent, group);
    const { verifyKey } = session.vault.agent(agent);
    const count = session.vault.secrets(session.vault.group(group).name).length;
    const current = session.vault.findGrant(agent, group);
    const granted = current?.type === "grant" ? current : undefined;
    if (granted !== undefined && granted.expiresAt === expiresAt) return nothingToDo(agent, group);
    const sofar = granted === undefined ? "" : `; so far ${untilWhen(granted)}`;
    await context.confirm(
      `let ${agent} (key ${shortFingerprint(verifyKey)}) open ${counted(count, "secret")} of ${group}${until}${sofar}?`,
    );
    return planGrant(session, agent, group, expiresAt);
  });
  context.console.say(
    done.plan.writes.length === 0
      ? `nothing to do: ${group} is granted to ${agent}${until} already`
      : `granted ${group} to ${agent}${until}${commitNote(done)}`,
  );
  return DONE;
}

function nothingToDo(agent: AgentName, group: GroupName): Plan {
  return { event: { action: "grant", agent, group }, writes: [], message: "" };
}

function untilWhen({ expiresAt }: GrantRecord): string {
  return expiresAt === undefined ? "without an end" : `until ${minuteOf(expiresAt)} UTC`;
}

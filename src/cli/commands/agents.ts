import { listAgents } from "../../admin/listings/agents.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { withVault } from "../reader.ts";

export function run(context: CommandContext): Promise<number> {
  return withVault(context, ({ vault }) => {
    const agents = listAgents(vault);
    if (context.has("json")) {
      context.console.printJson({ agents });
      return DONE;
    }
    if (agents.length === 0) {
      context.console.say("no agents yet; add one with vault-run add-agent NAME");
      return DONE;
    }
    const rows = agents.map((agent) => [
      agent.name,
      agent.key.slice(0, 16),
      agent.createdAt.slice(0, 10),
      agent.grants.map((grant) => grant.group).join(" ") || "-",
      agent.description ?? "-",
    ]);
    context.console.table([["AGENT", "KEY", "SINCE", "GROUPS", "DESCRIPTION"], ...rows]);
    return DONE;
  });
}

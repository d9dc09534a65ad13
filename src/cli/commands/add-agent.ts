import { planAddAgent } from "../../admin/plans/add-agent.ts";
import { parseDescription } from "../../vault/description.ts";
import { agentKeyPath } from "../../vault/key-lookup.ts";
import { parseAgentName } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { newKeyPath, sayKeyFile, withKey } from "../new-key-file.ts";
import { change, commitNote } from "../owner-verb.ts";

export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const name = parseAgentName(context.word(0));
  const description = parseDescription(context.text("description"));
  const done = await change(context, "add-agent", async (session) => {
    const { plan, keyFile } = await planAddAgent(session, name, description);
    const path = newKeyPath(context, agentKeyPath(machine, session.vault.id, name), `a key file of ${name}`);
    return withKey(context, plan, path, keyFile);
  });
  const path = done.plan.keyFile?.path;
  console.say(`added agent ${name}${commitNote(done)}`);
  await sayKeyFile(context, path);
  console.detail(`next: vault-run grant ${name} GROUP`);
  return DONE;
}

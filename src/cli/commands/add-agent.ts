import { resolve } from "node:path";
import { planAddAgent } from "../../admin/plans/add-agent.ts";
import { parseDescription } from "../../vault/description.ts";
import { agentKeyPath } from "../../vault/key-lookup.ts";
import { parseAgentName } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { sayKeyFile } from "../new-key-file.ts";
import { change, commitNote } from "../owner-verb.ts";

export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const name = parseAgentName(context.word(0));
  const description = parseDescription(context.text("description"));
  const out = context.text("out");
  let text = "";
  const done = await change(context, "add-agent", async (session) => {
    const { plan, keyFile } = await planAddAgent(session, name, description);
    text = keyFile;
    if (out === "-") return plan;
    const path =
      out === undefined ? agentKeyPath(machine, session.vault.id, name) : resolve(machine.cwd, out);
    return { ...plan, keyFile: { path, text } };
  });
  const path = done.plan.keyFile?.path;
  if (path === undefined) console.streams.stdout.write(text);
  console.say(`added agent ${name}${commitNote(done)}`);
  await sayKeyFile(context, path);
  console.detail(`next: vault-run grant ${name} GROUP`);
  return DONE;
}

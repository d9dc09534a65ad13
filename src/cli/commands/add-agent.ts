import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { planAddAgent } from "../../admin/plans/add-agent.ts";
import { createKeyFile } from "../../vault/key-file.ts";
import { agentKeyPath } from "../../vault/key-lookup.ts";
import { parseAgentName } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { parseDescription } from "../descriptions.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";

export async function run(context: CommandContext): Promise<number> {
  const name = parseAgentName(context.word(0));
  const description = parseDescription(context.text("description"));
  const out = context.text("out");
  let keyFile = "";
  let keyPath: string | undefined;
  try {
    const done = await change(context, "add-agent", async (session) => {
      const added = await planAddAgent(session, name, description);
      keyFile = added.keyFile;
      if (out !== "-") {
        const path =
          out === undefined
            ? agentKeyPath(context.machine, session.vault.id, name)
            : resolve(context.machine.cwd, out);
        createKeyFile(path, keyFile);
        keyPath = path;
      }
      return added.plan;
    });
    if (done === undefined) return DONE;
    if (keyPath === undefined) context.console.streams.stdout.write(keyFile);
    context.console.say(`added agent ${name}${commitNote(done)}`);
    context.console.detail(`its key file: ${keyPath ?? "on standard output"}; give it to the agent alone`);
    context.console.detail(`next: vault-run grant ${name} GROUP`);
    return DONE;
  } catch (error) {
    // The key of an agent that was not made opens nothing and would stand in the way of the next attempt.
    if (keyPath !== undefined) rmSync(keyPath, { force: true });
    throw error;
  }
}

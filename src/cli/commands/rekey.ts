import { planRekeyAgent } from "../../admin/plans/rekey-agent.ts";
import { agentKeyPath } from "../../vault/key-lookup.ts";
import { parseAgentName } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { newKeyPath } from "../new-key-file.ts";
import { change, commitNote, printExposed, progressOf } from "../owner-verb.ts";
import { shortFingerprint } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const name = parseAgentName(context.word(0));
  if (context.has("json") && context.text("out") === "-") {
    throw new VaultError("usage", "--json and --out - exclude each other", "name a file with --out");
  }
  let text = "";
  let exposed: readonly SecretRecord[] = [];
  const done = await change(context, "rekey", async (session) => {
    const { verifyKey } = session.vault.agent(name);
    const fallback = agentKeyPath(machine, session.vault.id, name);
    const path = newKeyPath(context, fallback, `the old key file of ${name}`);
    const groups = session.vault.grants(name).map((grant) => grant.group);
    await context.confirm(
      `give ${name} a new key in place of ${shortFingerprint(verifyKey)}, and new keys to: ${groups.join(", ") || "no group"}?`,
    );
    const planned = await planRekeyAgent(session, name, progressOf(context, "sealing again"));
    exposed = planned.exposed;
    text = planned.keyFile;
    return path === undefined ? planned.plan : { ...planned.plan, keyFile: { path, text } };
  });
  const path = done.plan.keyFile?.path;
  if (path === undefined) console.streams.stdout.write(text);
  console.say(`gave ${name} a new key${commitNote(done)}`);
  console.detail(`its key file: ${path ?? "on standard output"}; give it to the agent alone`);
  console.detail("the old key is refused from now on, wherever this change has been pulled");
  // Standard output holds the key then, and nothing else.
  if (path !== undefined) printExposed(context, exposed);
  else if (exposed.length > 0) console.detail("what the old key could have read: vault-run rotation");
  return DONE;
}

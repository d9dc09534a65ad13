import { besideKeyFile } from "../../admin/owner-session.ts";
import { planRekeyAgent } from "../../admin/plans/rekey-agent.ts";
import { planRekeyOwner } from "../../admin/plans/rekey-owner.ts";
import type { WithoutOwner } from "../../admin/plans/without-owner.ts";
import { agentKeyPath } from "../../vault/key-lookup.ts";
import { type AgentName, parseAgentName, shellWord } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { newKeyPath, sayKeyFile, withKey } from "../new-key-file.ts";
import { ownerKeyText } from "../new-passphrase.ts";
import { change, commitNote, printExposed, progressOf } from "../owner-verb.ts";
import { printWithoutOwner } from "../without-owner.ts";
import { named, shortFingerprint } from "../wording.ts";

export function run(context: CommandContext): Promise<number> {
  if (context.has("json") && context.text("out") === "-") {
    throw new VaultError("usage", "--json and --out - exclude each other", "name a file with --out");
  }
  const agent = context.findWord(0);
  if (context.has("passphrase") && !context.has("owner")) {
    throw new VaultError("usage", "an agent's key has no passphrase", "leave --passphrase out");
  }
  if (context.has("owner") && agent === undefined) return rekeyOwner(context);
  if (!context.has("owner") && agent !== undefined) return rekeyAgent(context, parseAgentName(agent));
  throw new VaultError(
    "usage",
    "say whose key is to be replaced, an agent's or yours",
    "vault-run rekey AGENT, or vault-run rekey --owner",
  );
}

async function rekeyAgent(context: CommandContext, name: AgentName): Promise<number> {
  const { machine, console } = context;
  let exposed: readonly SecretRecord[] = [];
  const done = await change(context, "rekey", async (session) => {
    const { verifyKey } = session.vault.agent(name);
    const fallback = agentKeyPath(machine, session.vault.id, name);
    const path = newKeyPath(context, fallback, `the old key file of ${name}`);
    const groups = session.vault.grants(name).map((grant) => grant.group);
    await context.confirm(
      `give ${name} a new key in place of ${shortFingerprint(verifyKey)}, and new keys to ${named(groups)}?`,
    );
    const planned = await planRekeyAgent(session, name, progressOf(context, "sealing again"));
    exposed = planned.exposed;
    return withKey(context, planned.plan, path, planned.keyFile);
  });
  const path = done.plan.keyFile?.path;
  console.say(`gave ${name} a new key${commitNote(done)}`);
  await sayKeyFile(context, path);
  console.detail("the old key is refused from now on, wherever this change has been pulled");
  // Standard output holds the key then, and nothing else.
  if (path !== undefined) printExposed(context, exposed);
  else if (exposed.length > 0) console.detail("what the old key could have read: vault-run rotation");
  return DONE;
}

/** The old key file is left alone, and its place with it: the new one goes beside it, and who uses it says how. */
async function rekeyOwner(context: CommandContext): Promise<number> {
  const { console } = context;
  let from = "";
  let without: WithoutOwner = { writes: [], exposed: [] };
  const done = await change(context, "rekey --owner", async (session) => {
    from = session.keyFrom;
    const { name, verifyKey } = session.self;
    if (context.text("out") !== undefined) newKeyPath(context, "", "");
    await context.confirm(
      `give owner ${name} a new key in place of ${shortFingerprint(verifyKey)}, and every group a new key?`,
    );
    const planned = await planRekeyOwner(session, progressOf(context, "sealing again"));
    without = planned;
    const text = await ownerKeyText(context, planned.keyFile, session.hasPassphrase);
    const path = newKeyPath(context, besideKeyFile(from, planned.owner.verifyKey), "a key file");
    return withKey(context, planned.plan, path, text);
  });
  const path = done.plan.keyFile?.path;
  console.say(`gave owner ${done.plan.event.owner} a new key${commitNote(done)}`);
  console.detail(`the new key file: ${path ?? "on standard output"}; back it up`);
  console.detail(`the old one is refused from now on; keep it safe, it opens what git remembers: ${from}`);
  if (path === undefined) return DONE;
  const [old, kept, made] = [from, `${from}.old`, path].map(shellWord);
  console.detail(`to use the new one: mv ${old} ${kept} && mv ${made} ${old}`);
  printWithoutOwner(context, without);
  return DONE;
}

import { entriesOf, parseFingerprint, planAllow, planDisallow } from "../../admin/plans/allow.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { change, commitNote } from "../owner-verb.ts";
import { withVault } from "../reader.ts";

/** Lists what `scan` passes over, or changes that. */
export function run(context: CommandContext): Promise<number> {
  const word = context.findWord(0);
  const reason = context.text("reason");
  if (word === undefined) {
    if (reason === undefined && !context.has("remove")) return list(context);
    throw new VaultError("usage", "no finding is named", "name its fingerprint, as vault-run scan prints it");
  }
  const fingerprint = parseFingerprint(word);
  if (context.has("remove")) return remove(context, fingerprint);
  if (reason === undefined)
    throw new VaultError("usage", "no reason is given", "say why it is no secret: --reason TEXT");
  return add(context, fingerprint, reason);
}

function list(context: CommandContext): Promise<number> {
  return withVault(context, (session) => {
    const entries = entriesOf(session);
    if (context.has("json")) {
      context.console.printJson({ allowed: entries });
      return DONE;
    }
    if (entries.length === 0) {
      context.console.say("no finding is allowed");
      return DONE;
    }
    // The reason last: in a window it may be cut, and a fingerprint must not be.
    const rows = entries.map(({ fingerprint, reason, at }) => [fingerprint, at.slice(0, 10), reason]);
    context.console.table([["FINGERPRINT", "SINCE", "REASON"], ...rows]);
    return DONE;
  });
}

async function add(context: CommandContext, fingerprint: string, reason: string): Promise<number> {
  const done = await change(context, "allow", async (session) => {
    const plan = planAllow(session, fingerprint, reason);
    await context.confirm(`let scan pass over ${fingerprint.slice(0, 12)} from now on?`);
    return plan;
  });
  context.console.say(`scan passes over ${fingerprint.slice(0, 12)} from now on${commitNote(done)}`);
  return DONE;
}

async function remove(context: CommandContext, fingerprint: string): Promise<number> {
  const done = await change(context, "allow", async (session) => planDisallow(session, fingerprint));
  context.console.say(`scan no longer passes over ${fingerprint.slice(0, 12)}${commitNote(done)}`);
  return DONE;
}

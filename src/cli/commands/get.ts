import { AuditLog } from "../../audit/log.ts";
import { recordPull } from "../../audit/pull.ts";
import { findHeadCommit } from "../../git/head.ts";
import { AgentSession } from "../../launch/agent-session.ts";
import { actsAsAgent } from "../../vault/key-lookup.ts";
import { parseSecretRef, type SecretRef } from "../../vault/names.ts";
import { openGroup, openSecret } from "../../vault/open-sealed.ts";
import type { Secret } from "../../vault/secret.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { openAsOwner } from "../reader.ts";

/** Prints the value's bytes and nothing else; on a terminal a line break follows, so that the prompt stands alone. */
export async function run(context: CommandContext): Promise<number> {
  const ref = parseSecretRef(context.word(0));
  const asAgent = actsAsAgent(context.machine, context.text("agent"), context.text("key-file"));
  using value = asAgent ? await readAsAgent(context, ref) : await readAsOwner(context, ref);
  const { stdout } = context.console.streams;
  await new Promise((resolve) => stdout.write(Buffer.from(value.bytes()), resolve));
  if (stdout.isTTY === true) stdout.write("\n");
  return DONE;
}

async function readAsAgent(context: CommandContext, ref: SecretRef): Promise<Secret> {
  const { console } = context;
  const options = {
    vault: context.text("vault"),
    agent: context.text("agent"),
    keyFile: context.text("key-file"),
  };
  const session = AgentSession.open(context.machine, options, (text) => console.say(text));
  return session.recordingDenials(undefined, () => {
    session.grants([ref.group]);
    const record = session.vault.secret(ref);
    if (!context.has("allow-expired")) session.requireUnexpired(record);
    return session.release([record], { action: "get" }, ([value]) => {
      if (value === undefined) throw new TypeError("no value was opened");
      return value;
    });
  });
}

async function readAsOwner(context: CommandContext, ref: SecretRef): Promise<Secret> {
  const { machine, console } = context;
  const { vault, identity, signingKey } = await openAsOwner(context);
  const record = vault.secret(ref);
  const value = await openSecret(record, await openGroup(vault.group(ref.group), identity));
  const log = new AuditLog(machine, vault.id, findHeadCommit(vault.files.root));
  await recordPull(machine, vault, [record], { action: "get" }, log, signingKey, (text) => console.say(text));
  return value;
}

import { OwnerSession } from "../../admin/owner-session.ts";
import { AuditLog } from "../../audit/log.ts";
import { findHeadCommit } from "../../git/head.ts";
import { AgentSession } from "../../launch/agent-session.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import { actsAsAgent } from "../../vault/key-lookup.ts";
import { parseSecretRef, type SecretRef } from "../../vault/names.ts";
import { openGroup, openSecret } from "../../vault/open-sealed.ts";
import type { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";

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
  try {
    session.grants([ref.group]);
    const record = session.vault.secret(ref);
    if (!context.has("allow-expired")) session.requireUnexpired(record);
    return await session.release([record], { action: "get" }, ([value]) => {
      if (value === undefined) throw new TypeError("no value was opened");
      return value;
    });
  } catch (error) {
    if (error instanceof VaultError) session.recordDenial(error, undefined);
    throw error;
  }
}

async function readAsOwner(context: CommandContext, ref: SecretRef): Promise<Secret> {
  const { machine } = context;
  const session = OwnerSession.open(
    machine,
    findVaultRoot(machine, context.text("vault")),
    context.text("owner-key-file"),
  );
  const { vault } = session;
  const record = vault.secret(ref);
  const value = await openSecret(record, await openGroup(vault.group(ref.group), session.identity));
  await vault.pins.save(vault.seen, vault.owners, { pid: machine.pid, host: machine.host, doing: "get" });
  const secrets = [{ group: record.group, name: record.name, valueId: record.valueId }];
  try {
    new AuditLog(machine, vault.id, findHeadCommit(vault.files.root)).append(
      { action: "get", secrets },
      session.signingKey,
    );
  } catch (error) {
    if (vault.record.policy.audit === "required" || !(error instanceof VaultError)) throw error;
    context.console.say(error.message);
  }
  return value;
}

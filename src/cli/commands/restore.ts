import { restoredKeyFile } from "../../admin/escrow.ts";
import { AuditLog } from "../../audit/log.ts";
import { recordingDenials, recordRelease } from "../../audit/pull.ts";
import { findHeadCommit } from "../../git/head.ts";
import { createKeyFile } from "../../vault/key-file.ts";
import { agentKeyPath } from "../../vault/key-lookup.ts";
import { parseAgentName } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { newKeyPath, warnOfKeyInRepo } from "../new-key-file.ts";
import { openAsOwner } from "../reader.ts";
import { shortFingerprint } from "../wording.ts";

/** The same key again, from escrow, in a key file as it would be made today. It is recorded before it leaves: whoever has it reads what the agent reads. */
export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const name = parseAgentName(context.word(0));
  const { vault, identity, signingKey } = await openAsOwner(context);
  const warn = (warning: string) => console.say(warning);
  const log = new AuditLog(machine, vault.id, findHeadCommit(vault.files.root));
  const recorded = <T>(attempt: () => T | Promise<T>) => recordingDenials(log, signingKey, {}, warn, attempt);
  const agent = await recorded(() => vault.agent(name));
  const path = newKeyPath(context, agentKeyPath(machine, vault.id, name), `a key file of ${name}`);
  await context.confirm(
    `restore the key of ${name} (${shortFingerprint(agent.verifyKey)}) from escrow, to ${path ?? "standard output"}?`,
  );
  const text = await recorded(() => restoredKeyFile(vault, agent, identity));
  const event = { action: "restore", agent: name } as const;
  await recordRelease(machine, vault, event, log, signingKey, warn);
  if (path === undefined) await console.handOver(text);
  else createKeyFile(path, text);
  console.say(`restored the key of ${name}: ${path ?? "on standard output"}`);
  await warnOfKeyInRepo(context, path);
  console.detail("it is the key it had: if someone else may have it, use vault-run rekey instead");
  return DONE;
}

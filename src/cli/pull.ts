import { AuditLog } from "../audit/log.ts";
import { recordingDenials, recordPull } from "../audit/pull.ts";
import { findHeadCommit } from "../git/head.ts";
import { AgentSession } from "../launch/agent-session.ts";
import { actsAsAgent } from "../vault/key-lookup.ts";
import type { GroupName } from "../vault/names.ts";
import { openGroup, openSecret } from "../vault/open-sealed.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { Secret } from "../vault/secret.ts";
import type { Vault } from "../vault/vault.ts";
import type { CommandContext } from "./context.ts";
import { openAsOwner } from "./reader.ts";

export interface Wanted<T> {
  readonly group: GroupName;
  /** Decides, before anything is opened, which of the group's secrets are wanted. */
  readonly choose: (vault: Vault, asAgent: boolean) => readonly SecretRecord[];
  /** Makes of the values what is to be handed over. */
  readonly prepare: (values: readonly Secret[]) => T;
}

/**
 * Opens values for a verb that prints them: as an agent where options or variables name one, otherwise as the owner. The
 * pull is recorded before anything is handed over.
 */
export function pull<T>(context: CommandContext, wanted: Wanted<T>): Promise<T> {
  const asAgent = actsAsAgent(context.machine, context.text("agent"), context.text("key-file"));
  return asAgent ? pullAsAgent(context, wanted) : pullAsOwner(context, wanted);
}

async function pullAsAgent<T>(context: CommandContext, { group, choose, prepare }: Wanted<T>): Promise<T> {
  const options = {
    vault: context.text("vault"),
    agent: context.text("agent"),
    keyFile: context.text("key-file"),
  };
  const session = await AgentSession.open(context.machine, options, (text) => context.console.say(text));
  return session.recordingDenials(undefined, () => {
    session.grants([group]);
    return session.release(choose(session.vault, true), { action: "get" }, prepare);
  });
}

async function pullAsOwner<T>(context: CommandContext, { group, choose, prepare }: Wanted<T>): Promise<T> {
  const { machine, console } = context;
  const { vault, identity, signingKey } = await openAsOwner(context);
  const warn = (text: string) => console.say(text);
  const log = new AuditLog(machine, vault.id, findHeadCommit(vault.files.root));
  return recordingDenials(log, signingKey, {}, warn, async () => {
    const records = choose(vault, false);
    const key = await openGroup(vault.group(group), identity);
    const values: Secret[] = [];
    for (const record of records) values.push(await openSecret(record, key));
    const prepared = prepare(values);
    await recordPull(machine, vault, records, { action: "get" }, log, signingKey, warn);
    return prepared;
  });
}

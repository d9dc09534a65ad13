import { recipientOf } from "../age/generate.ts";
import type { Identity } from "../age/identity.ts";
import { SigningKey } from "../age/signing-key.ts";
import { formatKeyFile, type KeyFile, parseKeyFile } from "../vault/key-file.ts";
import { openSealed } from "../vault/open-sealed.ts";
import { agentPath } from "../vault/paths.ts";
import { agentContext, contextError, decodeKeyFile, encodeKeyFile } from "../vault/payload.ts";
import type { AgentRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import type { OwnerSession } from "./owner-session.ts";
import { sealPayload } from "./seal-payload.ts";

// An agent's key file, sealed to the owners in the agent's own record: what is lost on the agent's machine is not lost.

export type AgentFields = Omit<AgentRecord, "type" | "vault" | "serial" | "signatures" | "escrow">;

/** An agent's record, with its key file's text in escrow for the owners. */
export async function agentRecord(
  session: OwnerSession,
  fields: AgentFields,
  keyFile: string,
): Promise<AgentRecord> {
  const context = agentContext({ vault: session.vault.id, name: fields.name });
  const escrow = await sealPayload(encodeKeyFile(context, keyFile), session.ownerRecipients);
  return session.sign<AgentRecord>(agentPath(fields.name), {
    type: "agent",
    ...fields,
    escrow,
  });
}

/**
 * The text of an agent's key file, opened from its escrow with an owner's identity.
 *
 * @throws {VaultError} `sealed-context` where the identity in it is not the one that the record names.
 */
export async function openEscrow(agent: AgentRecord, owner: Identity): Promise<string> {
  const path = agentPath(agent.name);
  const text = await openSealed(path, agent.escrow, owner, (plaintext) =>
    decodeKeyFile(path, agentContext(agent), plaintext),
  );
  const keyFile = findKeyFile(text);
  const isTheAgents =
    keyFile?.agent === agent.name &&
    keyFile.vault === agent.vault &&
    SigningKey.derive(keyFile.identity).verifyKey === agent.verifyKey &&
    (await recipientOf(keyFile.identity)) === agent.recipient;
  if (!isTheAgents) throw contextError(path);
  return text;
}

/** The identity in an agent's escrow. */
export async function agentIdentity(agent: AgentRecord, owner: Identity): Promise<Identity> {
  return parseKeyFile(await openEscrow(agent, owner), `the escrow of ${agent.name}`).identity;
}

/**
 * An agent's key file again, with the owners of today: the one in escrow may trust a key that was taken from its owner since,
 * and a machine that has seen nothing goes by the key file alone.
 */
export async function restoredKeyFile(vault: Vault, agent: AgentRecord, owner: Identity): Promise<string> {
  const { name, createdAt } = agent;
  const pins = { agent: name, vault: vault.id, owners: vault.ownerKeys, createdAt };
  return formatKeyFile(await agentIdentity(agent, owner), pins);
}

function findKeyFile(text: string): KeyFile | undefined {
  try {
    return parseKeyFile(text, "the escrow");
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

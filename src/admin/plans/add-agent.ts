import { generateIdentity, recipientOf } from "../../age/generate.ts";
import { SigningKey } from "../../age/signing-key.ts";
import { formatKeyFile } from "../../vault/key-file.ts";
import type { AgentName } from "../../vault/names.ts";
import { agentPath } from "../../vault/paths.ts";
import type { AgentRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import { agentRecord } from "../escrow.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";
import { given } from "./group-key.ts";

/** A new agent: its key file's text, and the record that holds its public half and that text in escrow. */
export async function planAddAgent(
  session: OwnerSession,
  name: AgentName,
  description: string | undefined,
): Promise<{ plan: Plan; keyFile: string }> {
  if (session.vault.findAgent(name)?.type === "agent") {
    throw new VaultError(
      "exists",
      `there is an agent of this name already: ${name}`,
      `choose another name, or for a new key: vault-run rekey ${name}`,
    );
  }
  const { record, keyFile } = await newAgent(session, name, description);
  const message = `vault-run: add agent ${name}`;
  const writes = [{ path: agentPath(name), record }];
  return { plan: { event: { action: "add-agent", agent: name }, writes, message }, keyFile };
}

/** A record with a new identity, and the key file that holds it. */
export async function newAgent(
  session: OwnerSession,
  name: AgentName,
  description: string | undefined,
): Promise<{ record: AgentRecord; keyFile: string }> {
  const identity = await generateIdentity(session.vault.suite);
  const { verifyKey } = SigningKey.derive(identity);
  const createdAt = session.now;
  const pins = { agent: name, vault: session.vault.id, owners: session.vault.ownerKeys, createdAt };
  const keyFile = formatKeyFile(identity, pins);
  const recipient = await recipientOf(identity);
  const fields = { name, recipient, verifyKey, createdAt, ...given({ description }) };
  return { record: await agentRecord(session, fields, keyFile), keyFile };
}

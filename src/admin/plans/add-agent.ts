import { generateIdentity, recipientOf } from "../../age/generate.ts";
import { seal } from "../../age/seal.ts";
import { SigningKey } from "../../age/signing-key.ts";
import { formatKeyFile } from "../../vault/key-file.ts";
import type { AgentName } from "../../vault/names.ts";
import { agentPath } from "../../vault/paths.ts";
import { agentContext, encodeKeyFile } from "../../vault/payload.ts";
import type { AgentRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
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
      "choose another name, or remove that one first: vault-run remove-agent",
    );
  }
  const identity = await generateIdentity(session.vault.suite);
  const vault = session.vault.id;
  const createdAt = session.now;
  const keyFile = formatKeyFile(identity, { agent: name, vault, owners: session.vault.owners, createdAt });
  const escrow = await seal(encodeKeyFile(agentContext({ vault, name }), keyFile), session.ownerRecipients);
  const path = agentPath(name);
  const record = session.sign<AgentRecord>(path, {
    type: "agent",
    name,
    recipient: await recipientOf(identity),
    verifyKey: SigningKey.derive(identity).verifyKey,
    createdAt,
    ...given({ description }),
    escrow: escrow.toString("base64"),
  });
  const message = `vault-run: add agent ${name}`;
  return {
    plan: { event: { action: "add-agent", agent: name }, writes: [{ path, record }], message },
    keyFile,
  };
}

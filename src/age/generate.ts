import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { InternalError } from "../vault-error.ts";
import { Identity, parseRecipient, type Recipient, type Suite } from "./identity.ts";

export async function generateIdentity(suite: Suite): Promise<Identity> {
  const text = suite === "pq" ? await generateHybridIdentity() : await generateX25519Identity();
  const identity = Identity.parse(text);
  if (identity === undefined) throw new InternalError("a generated identity does not parse");
  return identity;
}

export async function recipientOf(identity: Identity): Promise<Recipient> {
  const recipient = parseRecipient(await identityToRecipient(identity.reveal()));
  if (recipient === undefined) throw new InternalError("a derived recipient does not parse");
  return recipient;
}

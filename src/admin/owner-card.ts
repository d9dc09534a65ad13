import { generateIdentity, recipientOf } from "../age/generate.ts";
import { parseRecipient, type Recipient } from "../age/identity.ts";
import {
  isSignatureText,
  parseVerifyKey,
  SigningKey,
  type VerifyKey,
  verifySignature,
} from "../age/signing-key.ts";
import { canonicalText } from "../vault/canonical.ts";
import { formatKeyFile } from "../vault/key-file.ts";
import { GROUP_NAME, VAULT_ID, type VaultId } from "../vault/names.ts";
import type { Owner } from "../vault/schema.ts";
import { object, oneOf, type Shaped, text } from "../vault/shape.ts";
import { type Timestamp, timestamp } from "../vault/time.ts";
import type { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";

// The public half of a new owner's key, for a key that is made where it stays (docs/FORMAT.md, section 6.4). It is no
// secret, and is worth what the way is worth by which it came: whoever adds the owner compares the fingerprint. The
// signature shows that whoever made the card has the key, and made it for this vault and this name.

const SIGNED_PREFIX = "vault-run/owner-card/v1\0";

const ownerCard = object({
  type: oneOf("owner-card"),
  vault: text<VaultId>((s) => VAULT_ID.test(s)),
  name: text<string>((s) => GROUP_NAME.test(s)),
  recipient: text<Recipient>((s) => parseRecipient(s) !== undefined),
  verifyKey: text<VerifyKey>((s) => parseVerifyKey(s) !== undefined),
  sig: text<string>(isSignatureText),
});
export type OwnerCard = Shaped<typeof ownerCard>;

export const MAX_CARD_BYTES = 16 * 1024;

/** A new key for an owner of the vault: the key file's text, and the card to give to one who is an owner. */
export async function makeCard(
  vault: Vault,
  name: string,
  nowMs: number,
): Promise<{ card: OwnerCard; keyFile: string }> {
  const identity = await generateIdentity(vault.suite);
  const key = SigningKey.derive(identity);
  const { verifyKey } = key;
  const createdAt: Timestamp = timestamp(nowMs);
  const owners = { ...vault.ownerKeys, current: [...vault.owners, verifyKey] };
  const keyFile = formatKeyFile(identity, { vault: vault.id, owners, createdAt });
  const recipient = await recipientOf(identity);
  const unsigned = { type: "owner-card" as const, vault: vault.id, name, recipient, verifyKey };
  return { card: { ...unsigned, sig: key.sign(signedBytes(unsigned)) }, keyFile };
}

/** @throws {VaultError} `key-file` for what is no card, `wrong-vault` for another vault's. */
export function parseCard(json: string, vault: VaultId): Owner {
  const card = findCard(json);
  if (card === undefined) {
    throw new VaultError("key-file", "this is no owner's card, or it was changed", CARD_HINT);
  }
  if (card.vault !== vault) {
    throw new VaultError(
      "wrong-vault",
      `this card is for vault ${card.vault}, and this is vault ${vault}`,
      CARD_HINT,
    );
  }
  const { name, recipient, verifyKey } = card;
  return { name, recipient, verifyKey };
}

const CARD_HINT = "use what vault-run add-owner NAME --make-card printed, in a clone of this repo";

function findCard(json: string): OwnerCard | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (ownerCard.findMismatch(value) !== undefined) return undefined;
  const { sig, ...unsigned } = value as OwnerCard;
  return verifySignature(unsigned.verifyKey, signedBytes(unsigned), sig) ? (value as OwnerCard) : undefined;
}

function signedBytes(card: Omit<OwnerCard, "sig">): Buffer {
  return Buffer.from(SIGNED_PREFIX + canonicalText(card));
}

import { Encrypter } from "age-encryption";
import { VaultError } from "../vault-error.ts";
import { isWhole, type Recipient, suiteOf } from "./identity.ts";
import { findNativeRecipient } from "./wrap-native.ts";

/**
 * Encrypts to every recipient: one binary age file (C2SP age v1).
 *
 * The age specification forbids post-quantum and classic recipients in one file, since the weaker one would
 * decide, and the age-encryption package does not check it; nor does it refuse an empty list. Both are refused here.
 */
export async function seal(
  plaintext: Uint8Array,
  recipients: readonly [Recipient, ...Recipient[]],
): Promise<Buffer> {
  return Buffer.from(await encrypterFor(recipients).encrypt(plaintext));
}

let last: { readonly recipients: string; readonly encrypter: Encrypter } | undefined;

/** The last one is kept: a group's secrets are sealed to the same recipients, one after the other. */
function encrypterFor(recipients: readonly Recipient[]): Encrypter {
  const key = recipients.join();
  if (last?.recipients !== key) {
    requireSealable(recipients);
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(findNativeRecipient(recipient) ?? recipient);
    last = { recipients: key, encrypter };
  }
  return last.encrypter;
}

/**
 * @throws {TypeError} where there are no recipients, or some of both suites.
 * @throws {VaultError} `record-invalid` for a recipient that is none.
 */
function requireSealable(recipients: readonly Recipient[]): void {
  const suites = new Set(recipients.map(suiteOf));
  if (suites.size !== 1) throw new TypeError("recipients of exactly one suite are needed");
  if (!recipients.every(isWhole)) {
    throw new VaultError(
      "record-invalid",
      "a recipient in this vault is damaged: its checksum does not hold",
      "restore it from a commit that was good: git log -- .vault",
    );
  }
}

import { Encrypter } from "age-encryption";
import { type Recipient, suiteOf } from "./identity.ts";

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
  const suites = new Set(recipients.map(suiteOf));
  if (suites.size !== 1) throw new TypeError("recipients of exactly one suite are needed");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(plaintext));
}

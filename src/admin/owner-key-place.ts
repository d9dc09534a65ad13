import { realpathSync, statSync } from "node:fs";
import { SigningKey } from "../age/signing-key.ts";
import { putInKeychain, removeFromKeychain } from "../keychain/keychain.ts";
import { formatMarker, keychainAccount } from "../vault/keychain-marker.ts";
import type { VaultId } from "../vault/names.ts";
import type { OwnerKey } from "../vault/owner-key.ts";
import { replaceAmongOthers } from "../vault/write-file.ts";
import { diskError } from "../vault-error.ts";

// Changes to where and how an owner's key is stored. At every moment, also when killed, one place that the lookup reaches
// holds it whole.

/** Stores the key's text, sealed or not, where the key is stored now. */
export async function storeOwnerKey(key: OwnerKey, bytes: Uint8Array): Promise<void> {
  if (key.account === undefined) replaceFile(key.from, bytes);
  else await putInKeychain(key.account, bytes, key.stored);
}

/** Moves the key from its file into the keychain. */
export async function moveToKeychain(key: OwnerKey, vault: VaultId): Promise<void> {
  const account = keychainAccount(vault, SigningKey.derive(key.keyFile.identity).verifyKey);
  await putInKeychain(account, key.stored);
  replaceFile(key.from, Buffer.from(formatMarker(account)));
}

/** Moves the key from the keychain into its file. */
export async function moveToFile(key: OwnerKey, account: string): Promise<void> {
  replaceFile(key.from, key.stored);
  await removeFromKeychain(account);
}

/** Replaces a file as a whole: a reader, or a kill at any point, sees the old bytes or the new ones. Its mode stays. */
function replaceFile(named: string, bytes: Uint8Array): void {
  try {
    // What a link leads to, which is the file that holds the key.
    const path = realpathSync(named);
    replaceAmongOthers(path, bytes, statSync(path).mode & 0o700);
  } catch (error) {
    throw diskError(error, "write the key file", named);
  }
}

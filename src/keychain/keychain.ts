import { systemCode, VaultError } from "../vault-error.ts";

// The keychain of the system: macOS's Keychain, Windows' Credential Manager, and elsewhere the Secret Service (GNOME
// Keyring, KWallet, KeePassXC). Where there is no Secret Service the package would take the kernel's keyring, which forgets
// all at the next start: it is told not to, so that a key is never kept where it will not last.

const SERVICE = "vault-run";
const OPTIONS = { linux: { store: "secret-service" } } as const;

/** What the keychain holds under a name, undefined where that is nothing. */
export async function findInKeychain(account: string): Promise<Buffer | undefined> {
  const entry = await entryOf(account);
  const found = await attempt(() => entry.getSecret());
  if (found === null) return undefined;
  const bytes = Buffer.from(found);
  found.fill(0);
  return bytes;
}

/**
 * Puts bytes under a name, in the place of what was there, and looks that they are there.
 *
 * @param before what was there: it is put back where the keychain does not give back the new bytes.
 */
export async function putInKeychain(account: string, bytes: Uint8Array, before?: Uint8Array): Promise<void> {
  const entry = await entryOf(account);
  await attempt(() => entry.setSecret(bytes));
  try {
    const kept = await findInKeychain(account);
    if (kept?.equals(bytes) !== true) throw unusable("it does not give back what was put into it");
    kept.fill(0);
  } catch (error) {
    if (before !== undefined) await attempt(() => entry.setSecret(before));
    throw error;
  }
}

export async function removeFromKeychain(account: string): Promise<void> {
  const entry = await entryOf(account);
  await attempt(() => entry.deleteCredential());
}

async function entryOf(account: string) {
  const { AsyncEntry } = await loadPackage();
  return attempt(async () => new AsyncEntry(SERVICE, account, OPTIONS));
}

// As it is imported from source, as the built program requires it, and as the executable does, which never has it.
const MISSING = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND", "ERR_UNKNOWN_BUILTIN_MODULE"];

async function loadPackage() {
  try {
    return await import("@napi-rs/keyring");
  } catch (error) {
    const code = systemCode(error);
    const isMissing = code !== undefined && MISSING.includes(code);
    throw unusable(
      `the optional package @napi-rs/keyring ${isMissing ? "is not installed" : "does not work here"}`,
    );
  }
}

async function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    // The system's own words, of its connection and its locks; they quote nothing that is kept.
    throw unusable(error instanceof Error ? (error.message.split("\n")[0] ?? "") : "error", error);
  }
}

function unusable(why: string, cause?: unknown): VaultError {
  return new VaultError(
    "keychain",
    `the keychain of this system cannot be used: ${why}`,
    "use it in a desktop session where it is unlocked; a key that is in it already can come from your backup, by --owner-key-file",
    { cause },
  );
}

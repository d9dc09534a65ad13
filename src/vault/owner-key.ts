import { resolve } from "node:path";
import { findInKeychain } from "../keychain/keychain.ts";
import { VaultError } from "../vault-error.ts";
import { isArmored, keyFileExists, keyText, parseKeyFile, readPrivateFile } from "./key-file.ts";
import { type FoundKey, ownerKeyPath, requireVault } from "./key-lookup.ts";
import { findMarkedAccount } from "./keychain-marker.ts";
import { findNamed, type Machine } from "./machine.ts";
import type { VaultId } from "./names.ts";
import { openOwnerKey } from "./owner-passphrase.ts";

// An owner's key: its text, or that text sealed with a passphrase, in a file, or in the system's keychain, and then the file
// says so.

export interface OwnerKey extends FoundKey {
  /** The key file's text, opened. */
  readonly text: Buffer;
  /** What is stored: the text, sealed where it has a passphrase. */
  readonly stored: Buffer;
  readonly hasPassphrase: boolean;
  /** Its name in the keychain, where it is there. */
  readonly account: string | undefined;
}

/** The owner's key. The first place that names one decides, as with an agent's. */
export async function findOwnerKey(
  machine: Machine,
  vault: VaultId,
  option: string | undefined,
): Promise<OwnerKey> {
  const found = await readOwnerKey(machine, vault, option);
  requireOwnerKey(found, vault);
  return found;
}

/** The same, whosever it says that it is: so that its refusal can be recorded under it. */
export async function readOwnerKey(
  machine: Machine,
  vault: VaultId,
  option: string | undefined,
): Promise<OwnerKey> {
  const path = findOwnerKeyPath(machine, vault, option);
  const file = readPrivateFile(path, {
    code: "key-file",
    what: "key file",
    hint: "name the owner's key file with --owner-key-file, or restore it from your backup",
  });
  const account = findMarkedAccount(file.toString());
  const stored = account === undefined ? file : await readFromKeychain(account, path);
  const hasPassphrase = isArmored(stored.toString());
  const text = hasPassphrase ? await openOwnerKey(machine, stored.toString(), path) : stored;
  return {
    keyFile: parseKeyFile(keyText(text, path), path),
    from: path,
    text,
    stored,
    hasPassphrase,
    account,
  };
}

/** Refuses a key that says that it is an agent's, or for another vault. */
export function requireOwnerKey(found: FoundKey, vault: VaultId): void {
  const { keyFile, from } = found;
  if (keyFile.agent !== undefined) {
    throw new VaultError(
      "wrong-key",
      `this is the key of agent ${keyFile.agent}, not an owner's: ${from}`,
      "name the owner's key file with --owner-key-file",
    );
  }
  requireVault(found, vault);
}

function findOwnerKeyPath(machine: Machine, vault: VaultId, option: string | undefined): string {
  const named = findNamed(machine, option, "VAULT_RUN_OWNER_KEY_FILE");
  if (named !== undefined) return resolve(machine.cwd, named);
  const path = ownerKeyPath(machine, vault);
  if (keyFileExists(path)) return path;
  throw new VaultError(
    "no-key",
    `no owner key for this vault: ${path}`,
    "restore it from your backup, or name it with --owner-key-file",
  );
}

async function readFromKeychain(account: string, where: string): Promise<Buffer> {
  const found = await findInKeychain(account);
  if (found !== undefined) return found;
  throw new VaultError(
    "no-key",
    `the keychain does not hold the owner key that this file says is there: ${where}`,
    "put the key file from your backup in that place",
  );
}

import { realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isArmored } from "../age/passphrase.ts";
import { diskError, VaultError } from "../vault-error.ts";
import { type KeyFile, keyFileExists, parseKeyFile, readPrivateFile } from "./key-file.ts";
import { type FoundKey, ownerKeyPath, requireVault } from "./key-lookup.ts";
import { findVariable, type Machine } from "./machine.ts";
import type { VaultId } from "./names.ts";
import { openOwnerKey } from "./owner-passphrase.ts";
import { syncFolder, writeFileDurably } from "./write-file.ts";

// An owner's key: its text in a file, or that text sealed with a passphrase.

export interface OwnerKey extends FoundKey {
  /** The key file's text, opened. */
  readonly text: Buffer;
  readonly hasPassphrase: boolean;
}

/** The owner's key. The first place that names one decides, as with an agent's. */
export async function findOwnerKey(
  machine: Machine,
  vault: VaultId,
  option: string | undefined,
): Promise<OwnerKey> {
  const path = findOwnerKeyPath(machine, vault, option);
  const stored = readPrivateFile(path, {
    code: "key-file",
    what: "key file",
    hint: "name the owner's key file with --owner-key-file, or restore it from your backup",
  });
  const hasPassphrase = isArmored(stored.toString());
  const text = hasPassphrase ? await openOwnerKey(machine, stored.toString(), path) : stored;
  const found = { keyFile: parseOwnerKey(text, path), from: path, text, hasPassphrase };
  requireVault(found, vault);
  return found;
}

/** Replaces the key's file as a whole: a reader, or a kill at any point, sees the old bytes or the new ones. */
export function replaceOwnerKey(key: OwnerKey, bytes: Uint8Array): void {
  try {
    // What a link leads to, which is the file that holds the key.
    const path = realpathSync(key.from);
    const draft = `${path}.new`;
    // Left by a kill.
    rmSync(draft, { force: true });
    writeFileDurably(draft, bytes, "wx", statSync(path).mode & 0o700);
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    throw diskError(error, "write the key file", key.from);
  }
}

function findOwnerKeyPath(machine: Machine, vault: VaultId, option: string | undefined): string {
  const named = option ?? findVariable(machine, "VAULT_RUN_OWNER_KEY_FILE");
  if (named !== undefined) return resolve(machine.cwd, named);
  const path = ownerKeyPath(machine, vault);
  if (keyFileExists(path)) return path;
  throw new VaultError(
    "no-key",
    `no owner key for this vault: ${path}`,
    "restore it from your backup, or name it with --owner-key-file",
  );
}

function parseOwnerKey(text: Buffer, where: string): KeyFile {
  const keyFile = parseKeyFile(text.toString(), where);
  if (keyFile.agent === undefined) return keyFile;
  throw new VaultError(
    "wrong-key",
    `this is the key of agent ${keyFile.agent}, not an owner's: ${where}`,
    "name the owner's key file with --owner-key-file",
  );
}

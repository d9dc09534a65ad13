import { resolve } from "node:path";
import { DamagedAgeFile } from "../age/damaged-age-file.ts";
import {
  openWithPassphrase,
  type PassphraseFile,
  parsePassphraseFile,
  sealWithPassphrase,
} from "../age/passphrase.ts";
import { InternalError, VaultError } from "../vault-error.ts";
import { readPrivateFile } from "./key-file.ts";
import { findVariable, type Machine } from "./machine.ts";

// The passphrase on an owner's key. Where the variable names a file, that file's passphrase is the only one tried; otherwise
// the person at the terminal is asked. Passphrases are overwritten once used.

const PASSPHRASE_VARIABLE = "VAULT_RUN_OWNER_PASSPHRASE_FILE";
const TRIES = 3;
const MAX_PASSPHRASE_BYTES = 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The text of a key file that is sealed with a passphrase. `where` stands for it in messages. */
export async function openOwnerKey(machine: Machine, sealed: string, where: string): Promise<Buffer> {
  const file = parseSealedKey(sealed, where);
  const fromFile = findPassphraseInFile(machine);
  if (fromFile !== undefined) {
    const text = await openAndForget(file, fromFile, where);
    if (text !== undefined) return text;
    throw wrongPassphrase(`the file that ${PASSPHRASE_VARIABLE} names holds another passphrase`, where);
  }
  const { askPassphrase } = machine;
  if (askPassphrase === undefined) throw nobodyToAsk(where);
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const question = `${attempt === 1 ? "" : "wrong passphrase, again: "}passphrase of the owner key (not shown)`;
    const text = await openAndForget(file, await askPassphrase(question), where);
    if (text !== undefined) return text;
  }
  throw wrongPassphrase("wrong passphrase", where);
}

/** The key file's text sealed with a passphrase, known to open again: it may be the only copy. */
export async function sealOwnerKey(text: Buffer, passphrase: Buffer): Promise<Buffer> {
  const sealed = await sealWithPassphrase(text, passphrase);
  const opened = await openWithPassphrase(parsePassphraseFile(sealed), passphrase);
  if (opened?.equals(text) !== true) throw new InternalError("a sealed key does not open");
  opened.fill(0);
  return Buffer.from(sealed);
}

/** The passphrase in the file that the variable names, without one final line break. Undefined where it is not set. */
export function findPassphraseInFile(machine: Machine): Buffer | undefined {
  const named = findVariable(machine, PASSPHRASE_VARIABLE);
  if (named === undefined) return undefined;
  const path = resolve(machine.cwd, named);
  const bytes = readPrivateFile(path, {
    code: "passphrase",
    what: "passphrase file",
    maxBytes: MAX_PASSPHRASE_BYTES,
    hint: `name a file that holds the passphrase in ${PASSPHRASE_VARIABLE}, or unset it to be asked`,
  });
  const passphrase = bytes.subarray(0, lengthOfLine(bytes));
  if (passphrase.length > 0) return passphrase;
  throw new VaultError(
    "passphrase",
    `the passphrase file is empty: ${path}`,
    `put the passphrase in it, or unset ${PASSPHRASE_VARIABLE} to be asked`,
  );
}

function lengthOfLine(bytes: Buffer): number {
  if (bytes.at(-1) !== LINE_FEED) return bytes.length;
  return bytes.at(-2) === CARRIAGE_RETURN ? bytes.length - 2 : bytes.length - 1;
}

async function openAndForget(
  file: PassphraseFile,
  passphrase: Buffer,
  where: string,
): Promise<Buffer | undefined> {
  try {
    // No key has an empty one, and stretching it would take as long as any other.
    return passphrase.length === 0 ? undefined : await openWithPassphrase(file, passphrase);
  } catch (error) {
    throw damagedKey(error, where);
  } finally {
    passphrase.fill(0);
  }
}

function parseSealedKey(sealed: string, where: string): PassphraseFile {
  try {
    return parsePassphraseFile(sealed);
  } catch (error) {
    throw damagedKey(error, where);
  }
}

function damagedKey(error: unknown, where: string): unknown {
  if (!(error instanceof DamagedAgeFile)) return error;
  return new VaultError(
    "key-file",
    `not a key file, ${error.message}: ${where}`,
    "restore the owner's key from your backup",
    { cause: error },
  );
}

function wrongPassphrase(what: string, where: string): VaultError {
  return new VaultError(
    "passphrase",
    `${what}: ${where}`,
    "run the command again with the passphrase of this key; where it is lost, a backup of the key without one is all that helps",
  );
}

function nobodyToAsk(where: string): VaultError {
  return new VaultError(
    "passphrase",
    `the owner key has a passphrase, and there is no terminal to ask for it: ${where}`,
    `run this at a terminal, or put the passphrase in a file of mode 0600 and name that in ${PASSPHRASE_VARIABLE}`,
  );
}

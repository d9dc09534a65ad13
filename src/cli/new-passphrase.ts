import { findPassphraseInFile, sealOwnerKey } from "../vault/owner-passphrase.ts";
import { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import type { CommandContext } from "./context.ts";

const MIN_CHARACTERS = 12;

/**
 * A passphrase to put on the owner's key: asked twice, or where the key has none yet, from the file that the variable
 * names. Where the key has one, that file holds the old one.
 */
export async function newPassphrase(context: CommandContext, hasPassphrase: boolean): Promise<Secret> {
  const fromFile = hasPassphrase ? undefined : findPassphraseInFile(context.machine);
  return new Secret(
    "passphrase",
    fromFile === undefined ? await askTwice(context, hasPassphrase) : longEnough(fromFile),
  );
}

function longEnough(passphrase: Buffer): Buffer {
  // The bytes 10xxxxxx continue a character.
  const characters = passphrase.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
  if (characters >= MIN_CHARACTERS) return passphrase;
  passphrase.fill(0);
  throw new VaultError(
    "passphrase",
    characters === 0
      ? "the passphrase is empty"
      : `the passphrase is too short: fewer than ${MIN_CHARACTERS} characters`,
    "whoever has the file can guess as fast as their computers go: take five or six random words",
  );
}

/**
 * The text of a new owner key's file: sealed where `--passphrase` asks for it, and where the key has one that it replaces.
 */
export async function ownerKeyText(
  context: CommandContext,
  keyFile: string,
  replacesSealed = false,
): Promise<string> {
  if (!context.has("passphrase") && !replacesSealed) return keyFile;
  using passphrase = await newPassphrase(context, replacesSealed);
  return (await sealOwnerKey(Buffer.from(keyFile), passphrase.bytes())).toString();
}

async function askTwice({ machine }: CommandContext, hasPassphrase: boolean): Promise<Buffer> {
  const { askPassphrase } = machine;
  if (askPassphrase === undefined) {
    throw new VaultError(
      "passphrase",
      "there is no terminal to ask for the new passphrase",
      hasPassphrase
        ? "run this at a terminal, or take the old passphrase off first: vault-run passphrase --remove"
        : "run this at a terminal, or put it in a file of mode 0600 and name that in VAULT_RUN_OWNER_PASSPHRASE_FILE",
    );
  }
  const first = longEnough(
    await askPassphrase(`new passphrase of the owner key, at least ${MIN_CHARACTERS} characters (not shown)`),
  );
  const second = await askPassphrase("the same again");
  const isSame = first.equals(second);
  second.fill(0);
  if (isSame) return first;
  first.fill(0);
  throw new VaultError(
    "passphrase",
    "the two passphrases differ",
    "run the command again; nothing was changed",
  );
}

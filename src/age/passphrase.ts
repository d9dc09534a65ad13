import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { type Identity as AgeIdentity, armor, Encrypter, Stanza } from "age-encryption";
import { DamagedAgeFile } from "./damaged-age-file.ts";
import { decryptWith } from "./open-portable.ts";

// Age files that open with a passphrase (C2SP age v1, scrypt recipient), armored. age-encryption reads and writes the file;
// the passphrase is stretched by node's own scrypt: it takes a Buffer, which can be wiped, and half the time.

const LABEL = "age-encryption.org/v1/scrypt";
const SALT_BYTES = 16;
/** What age itself writes: a quarter of a gigabyte and about half a second. */
const WORK_FACTOR = 18;
/** Each step doubles memory and time: a file may not ask for more than 1 GiB and some seconds. */
const MAX_WORK_FACTOR = 20;
const SCRYPT_BLOCK_SIZE = 8;
const FIRST_STANZA = /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n/;
const NONCE = Buffer.alloc(12);
const TAG_BYTES = 16;

/** A binary age file that opens with a passphrase, as far as its header tells. */
export type PassphraseFile = Buffer & { readonly __brand: "PassphraseFile" };

/** @throws {DamagedAgeFile} where it is malformed, opens otherwise than with a passphrase, or asks for too much work. */
export function parsePassphraseFile(armored: string): PassphraseFile {
  const file = decodeArmor(armored);
  const workFactor = FIRST_STANZA.exec(file.subarray(0, 128).toString("latin1"))?.[1];
  if (workFactor === undefined) throw new DamagedAgeFile("the age file does not open with a passphrase");
  if (Number(workFactor) > MAX_WORK_FACTOR) {
    throw new DamagedAgeFile(
      `the age file asks for too much work (2^${workFactor}, at most 2^${MAX_WORK_FACTOR})`,
    );
  }
  return file as PassphraseFile;
}

/**
 * @returns the plaintext, or undefined where the passphrase is another one.
 * @throws {DamagedAgeFile} when the file is malformed or was altered.
 */
export function openWithPassphrase(file: PassphraseFile, passphrase: Buffer): Promise<Buffer | undefined> {
  return decryptWith(file, { unwrapFileKey: (stanzas) => unwrap(stanzas, passphrase) } satisfies AgeIdentity);
}

/** The armored age file, its lines ended by line feeds. */
export async function sealWithPassphrase(plaintext: Uint8Array, passphrase: Buffer): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient({ wrapFileKey: async (fileKey) => [await wrap(fileKey, passphrase)] });
  return armor.encode(await encrypter.encrypt(plaintext));
}

async function wrap(fileKey: Uint8Array, passphrase: Buffer): Promise<Stanza> {
  const salt = randomBytes(SALT_BYTES);
  const key = await stretch(passphrase, salt, WORK_FACTOR);
  const cipher = createCipheriv("chacha20-poly1305", key, NONCE, { authTagLength: TAG_BYTES });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  key.fill(0);
  return new Stanza(["scrypt", salt.toString("base64").replace(/=+$/, ""), `${WORK_FACTOR}`], body);
}

async function unwrap(stanzas: readonly Stanza[], passphrase: Buffer): Promise<Buffer | null> {
  const [only, ...rest] = stanzas;
  if (only === undefined || rest.length > 0 || only.body.length !== 16 + TAG_BYTES)
    throw new DamagedAgeFile("the age file is damaged: its one stanza is not as it should be");
  const [, salt = "", workFactor] = only.args;
  const key = await stretch(passphrase, Buffer.from(salt, "base64"), Number(workFactor));
  const decipher = createDecipheriv("chacha20-poly1305", key, NONCE, { authTagLength: TAG_BYTES });
  key.fill(0);
  decipher.setAuthTag(only.body.subarray(16));
  const fileKey = decipher.update(only.body.subarray(0, 16));
  try {
    decipher.final();
    return fileKey;
  } catch {
    return null;
  }
}

function stretch(passphrase: Buffer, salt: Buffer, workFactor: number): Promise<Buffer> {
  const N = 2 ** workFactor;
  const options = { N, r: SCRYPT_BLOCK_SIZE, p: 1, maxmem: 128 * SCRYPT_BLOCK_SIZE * (N + 4) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([Buffer.from(LABEL), salt]), 32, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function decodeArmor(armored: string): Buffer {
  try {
    return Buffer.from(armor.decode(armored));
  } catch (cause) {
    throw new DamagedAgeFile("the age file is damaged: its armor is not whole", { cause });
  }
}

import { Decrypter } from "age-encryption";
import type { Identity } from "./identity.ts";

/** An age file that is malformed or was altered. Says nothing about who may open it. */
export class DamagedAgeFile extends Error {
  override readonly name = "DamagedAgeFile";
}

/**
 * Decrypts a binary age file.
 *
 * @returns the plaintext, or undefined when the file is sealed to other identities: "not for me" is an answer.
 * @throws {DamagedAgeFile} when the file is malformed or fails authentication.
 */
export async function open(file: Uint8Array, identity: Identity): Promise<Buffer | undefined> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity.reveal());
  try {
    return Buffer.from(await decrypter.decrypt(file));
  } catch (error) {
    if (error instanceof Error && error.message.includes("no identity matched")) return undefined;
    throw new DamagedAgeFile("the age file is damaged", { cause: error });
  }
}

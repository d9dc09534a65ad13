import { DamagedAgeFile } from "./damaged-age-file.ts";
import type { Identity } from "./identity.ts";
import { findNativeKeys, MAX_HEADER_BYTES, type NativeKeys, openNatively } from "./open-native.ts";

const keysOf = new WeakMap<Identity, NativeKeys | undefined>();

/**
 * Decrypts a binary age file: with the runtime's own cryptography, and where that lacks ML-KEM with age-encryption.
 *
 * @returns the plaintext, or undefined when the file is sealed to other identities: "not for me" is an answer.
 * @throws {DamagedAgeFile} when the file is malformed or fails authentication.
 */
export async function open(file: Buffer, identity: Identity): Promise<Buffer | undefined> {
  if (!keysOf.has(identity)) keysOf.set(identity, findNativeKeys(identity));
  const keys = keysOf.get(identity);
  if (keys !== undefined) return openNatively(file, keys);
  const { openPortably } = await import("./open-portable.ts");
  // The package reads a header of any length.
  const head = file.subarray(0, MAX_HEADER_BYTES);
  const lastLine = head.indexOf("\n---");
  if (lastLine === -1 || !head.includes("\n", lastLine + 1))
    throw new DamagedAgeFile("the age file is damaged: its header is too long or has no end");
  return openPortably(file, identity);
}

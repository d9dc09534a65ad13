import type { Identity } from "./identity.ts";
import { findNativeKeys, type NativeKeys, openNatively } from "./open-native.ts";

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
  return openPortably(file, identity);
}

import { type Identity as AgeIdentity, Decrypter } from "age-encryption";
import { DamagedAgeFile } from "./damaged-age-file.ts";
import type { Identity } from "./identity.ts";

/**
 * Decrypts a binary age file.
 *
 * @returns the plaintext, or undefined when the file is sealed to other identities: "not for me" is an answer.
 * @throws {DamagedAgeFile} when the file is malformed or fails authentication.
 */
export function openPortably(file: Uint8Array, identity: Identity): Promise<Buffer | undefined> {
  return decryptWith(file, identity.reveal());
}

/** The same with whatever age-encryption takes for an identity. */
export async function decryptWith(
  file: Uint8Array,
  identity: string | AgeIdentity,
): Promise<Buffer | undefined> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await gather(await decrypter.decrypt(streamOf(file)));
  } catch (error) {
    if (error instanceof Error && error.message.includes("no identity matched")) return undefined;
    throw new DamagedAgeFile("the age file is damaged", { cause: error });
  }
}

// From a stream to a stream: to gather bytes by itself the package would load node's HTTP client, which costs a launch more
// than the opening does and opens standard error.

function streamOf(file: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(file);
      controller.close();
    },
  });
}

async function gather(plaintext: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of plaintext) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}

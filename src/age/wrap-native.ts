import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { type Recipient as AgeRecipient, Stanza } from "age-encryption";
import { decodeBech32 } from "./bech32.ts";
import { HYBRID_STANZA, hybridWrapKey } from "./hybrid.ts";
import { HYBRID_RECIPIENT, type Recipient } from "./identity.ts";
import { okpPublicBytes, okpPublicKey } from "./okp-keys.ts";

// A post-quantum recipient that wraps file keys with node's own cryptography, for age-encryption, which writes the file: it
// takes 0.2 ms instead of 2.6, of which a revoke takes one for every secret. What it writes is opened by age-encryption's own
// code in test/age.

const MLKEM_PUBLIC_BYTES = 1184;
// DER header of an ML-KEM-768 public key (RFC 9935): the raw key follows.
const MLKEM768_PUBLIC = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");

/** Undefined where this runtime has no ML-KEM (node before 24.7, OpenSSL before 3.5), or for a recipient that is none. */
export function findNativeRecipient(text: Recipient): AgeRecipient | undefined {
  const { recipientPrefix, recipientBytes } = HYBRID_RECIPIENT;
  const bytes = decodeBech32(text, recipientPrefix, recipientBytes);
  if (bytes === undefined || (encapsulate as unknown) === undefined) return undefined;
  const mlKem = findMlKemKey(bytes.subarray(0, MLKEM_PUBLIC_BYTES));
  const recipient = bytes.subarray(MLKEM_PUBLIC_BYTES);
  return mlKem === undefined ? undefined : { wrapFileKey: (fileKey) => [wrap(fileKey, mlKem, recipient)] };
}

function wrap(fileKey: Uint8Array, mlKem: KeyObject, recipient: Buffer): Stanza {
  const { sharedKey, ciphertext } = encapsulate(mlKem);
  const ephemeral = generateKeyPairSync("x25519");
  const share = okpPublicBytes(ephemeral.privateKey);
  const publicKey = okpPublicKey("X25519", recipient);
  const fromX25519 = diffieHellman({ privateKey: ephemeral.privateKey, publicKey });
  const { key, nonce } = hybridWrapKey({ fromMlKem: sharedKey, fromX25519, share, recipient });
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  key.fill(0);
  const encapsulated = Buffer.concat([ciphertext, share]).toString("base64").replace(/=+$/, "");
  return new Stanza([HYBRID_STANZA, encapsulated], body);
}

function findMlKemKey(bytes: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([MLKEM768_PUBLIC, bytes]), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

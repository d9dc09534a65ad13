import { type KeyObject, verify } from "node:crypto";
import { okpPublicKey } from "./okp-keys.ts";
import type { VerifyKey } from "./signing-key.ts";

const imported = new Map<VerifyKey, KeyObject>();

/** As verifySignature, on node's pool of threads: for thousands of signatures, on as many processors as there are. */
export function verifyPooled(key: VerifyKey, message: Uint8Array, signature: string): Promise<boolean> {
  let publicKey = imported.get(key);
  if (publicKey === undefined) {
    publicKey = okpPublicKey("Ed25519", Buffer.from(key, "base64"));
    imported.set(key, publicKey);
  }
  const by = publicKey;
  return new Promise((resolve, reject) => {
    verify(null, message, by, Buffer.from(signature, "base64"), (error, holds) => {
      if (error === null) resolve(holds);
      else reject(error);
    });
  });
}

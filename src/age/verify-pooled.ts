import { verify } from "node:crypto";
import { publicKeyOf, type VerifyKey } from "./signing-key.ts";

/** As verifySignature, on node's pool of threads: for thousands of signatures, on as many processors as there are. */
export function verifyPooled(key: VerifyKey, message: Uint8Array, signature: string): Promise<boolean> {
  const publicKey = publicKeyOf(key);
  return new Promise((resolve, reject) => {
    verify(null, message, publicKey, Buffer.from(signature, "base64"), (error, holds) => {
      if (error === null) resolve(holds);
      else reject(error);
    });
  });
}

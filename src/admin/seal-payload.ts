import type { Recipient } from "../age/identity.ts";
import { seal } from "../age/seal.ts";

/** Seals what a record holds, as the record holds it: in base64. The payload is overwritten, also where sealing fails. */
export async function sealPayload(
  payload: Buffer,
  recipients: readonly [Recipient, ...Recipient[]],
): Promise<string> {
  try {
    return (await seal(payload, recipients)).toString("base64");
  } finally {
    payload.fill(0);
  }
}

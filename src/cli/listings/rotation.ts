import type { ExposedAgent, ExposedSecret } from "../../admin/exposed.ts";
import type { ValueReads } from "../../audit/value-reads.ts";

/**
 * What `rotation --json` prints.
 *
 * @param logs the names of those that `reads` are from.
 */
export function listRotation(
  rotate: readonly ExposedSecret[],
  rekey: readonly ExposedAgent[],
  reads: ValueReads,
  logs: readonly string[],
) {
  return { rotate: rotate.map((secret) => withReads(secret, reads)), rekey, logs };
}

function withReads(secret: ExposedSecret, reads: ValueReads) {
  const readers = secret.readers.map((reader) => {
    return { ...reader, read: reads.find(reader.key, secret.valueId)?.first ?? null };
  });
  return { ...secret, readers };
}

import { type Timestamp, timestamp } from "../../vault/time.ts";
import type { Vault } from "../../vault/vault.ts";
import type { PullTotal } from "./answers.ts";
import { isMeant, type LineFilter } from "./filter.ts";

/** A secret that nobody pulled for some time. */
export interface Unpulled {
  readonly group: string;
  readonly name: string;
  readonly setAt: Timestamp;
  /** When it was pulled last; null where no line says that it ever was. */
  readonly last: string | null;
}

/**
 * The secrets of today that no line says were pulled within the last `ageMs`, whatever their values were then.
 *
 * @param totals of all times.
 */
export function findUnpulled(
  vault: Vault,
  totals: readonly PullTotal[],
  filter: LineFilter,
  ageMs: number,
  nowMs: number,
): Unpulled[] {
  const last = new Map<string, string>();
  for (const { group, name, last: at } of totals) {
    const id = `${group}/${name}`;
    if (at > (last.get(id) ?? "")) last.set(id, at);
  }
  const before = timestamp(nowMs - ageMs);
  return vault
    .groups()
    .flatMap((group) => vault.secrets(group.name))
    .filter(({ group, name }) => isMeant(filter, group, name))
    .map(({ group, name, setAt }) => ({ group, name, setAt, last: last.get(`${group}/${name}`) ?? null }))
    .filter((secret) => secret.last === null || secret.last < before);
}

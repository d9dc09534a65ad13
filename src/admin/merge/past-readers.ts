import type { Repository } from "../../git/repository.ts";
import type { GroupName } from "../../vault/names.ts";
import { formatRef } from "../../vault/names.ts";
import type { SecretRecord } from "../../vault/schema.ts";
import type { Vault } from "../../vault/vault.ts";
import { readGroupHistory } from "../group-history.ts";
import { earliest, type Holder, holdersOf } from "../key-holders.ts";

/** Who ever held a key under which a secret's present value was sealed, on whatever branch: read from git's history. */
export function readersOfValues(
  repository: Repository,
  vault: Vault,
  commits: readonly string[],
): (secret: SecretRecord) => Promise<readonly Holder[]> {
  const byGroup = new Map<GroupName, Promise<Map<string, Holder[]>>>();
  return async (secret) => {
    const known = byGroup.get(secret.group) ?? readersInGroup(repository, vault, secret.group, commits);
    byGroup.set(secret.group, known);
    return earliest((await known).get(nameOf(secret)) ?? []);
  };
}

async function readersInGroup(
  repository: Repository,
  vault: Vault,
  group: GroupName,
  commits: readonly string[],
): Promise<Map<string, Holder[]>> {
  const { past, beside } = await readGroupHistory(repository, vault, group, undefined, commits);
  const readers = new Map<string, Holder[]>();
  for (const [{ record }, holders] of holdersOf(past, beside)) {
    const name = nameOf(record as SecretRecord);
    readers.set(name, [...(readers.get(name) ?? []), ...holders]);
  }
  return readers;
}

function nameOf(secret: SecretRecord): string {
  return `${formatRef(secret)} ${secret.valueId}`;
}

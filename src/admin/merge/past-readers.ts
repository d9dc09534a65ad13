import type { Repository } from "../../git/repository.ts";
import type { GroupName } from "../../vault/names.ts";
import { formatRef } from "../../vault/names.ts";
import type { Exposure, SecretRecord } from "../../vault/schema.ts";
import type { Vault } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";
import { readGroupHistory } from "../group-history.ts";
import { earliest, holdersOf, ownersHolding } from "../key-holders.ts";

/**
 * Agents and owners who ever held a key under which a secret's present value was sealed, on whatever branch: read from git's
 * history.
 */
export function readersOfValues(
  repository: Repository,
  vault: Vault,
  commits: readonly string[],
): (secret: SecretRecord) => Promise<readonly Exposure[]> {
  const byGroup = new Map<GroupName, Promise<Map<string, Exposure[]>>>();
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
): Promise<Map<string, Exposure[]>> {
  if (await repository.isShallow()) {
    throw new VaultError(
      "git-not-ready",
      `who could read a value stands in git's history, and here it is cut: group ${group} needs a fresh key`,
      "get the rest first (git fetch --unshallow), then run this again",
    );
  }
  const { past, beside } = await readGroupHistory(repository, vault, group, undefined, commits);
  const readers = new Map<string, Exposure[]>();
  for (const held of [holdersOf(past, beside), ownersHolding(past, beside)]) {
    for (const [{ record }, holders] of held) {
      const name = nameOf(record as SecretRecord);
      readers.set(name, [...(readers.get(name) ?? []), ...holders]);
    }
  }
  return readers;
}

function nameOf(secret: SecretRecord): string {
  return `${formatRef(secret)} ${secret.valueId}`;
}

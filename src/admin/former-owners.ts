import type { Repository } from "../git/repository.ts";
import { keyFingerprint } from "../vault/fingerprint.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import type { AgentRecord, GroupRecord, OwnerExposure, SignedRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import { readBeside } from "./group-history.ts";
import { ownersOf } from "./key-holders.ts";
import { OwnersEver } from "./owners-ever.ts";
import { readPastRecords } from "./past-records.ts";

// An age file does not say whom it was made for, only for how many. Where an owner took another's place on one branch, and
// on the other branch something was sealed to those before, a merge has as many owners in every age file as there are, and
// yet not the same ones. Git's history tells: it was sealed to those who were owners in the commit that first had it.

type Sealed = GroupRecord | AgentRecord;

/** Those who are owners no more, and whom a group's identity or an agent's escrow was sealed to as it stands. */
export type FormerOwners = (record: Sealed) => readonly OwnerExposure[];

export async function readFormerOwners(
  repository: Repository,
  vault: Vault,
  commits: readonly string[] = ["HEAD"],
): Promise<FormerOwners> {
  if (vault.ownerKeys.former.length === 0) return () => [];
  const paths = [VAULT_PATH, "groups/*/group.json", "agents/*/agent.json"];
  const past = await readPastRecords(repository, paths, commits);
  const first = new Map<string, (typeof past)[number]>();
  // Newest first: the oldest that has it stays.
  for (const version of past) if (isSealed(version.record)) first.set(sealedText(version.record), version);
  const beside = await readBeside(repository, [...first.values()], new OwnersEver(vault, past), () => [
    VAULT_PATH,
  ]);
  const current = new Set(vault.owners.map(keyFingerprint));
  return (record) => {
    const version = first.get(sealedText(record));
    const owners = version === undefined ? [] : ownersOf(beside(version, VAULT_PATH));
    return owners.filter(({ key }) => !current.has(key));
  };
}

function isSealed(record: SignedRecord): record is Sealed {
  return record.type === "group" || record.type === "agent";
}

function sealedText(record: Sealed): string {
  return record.type === "group" ? record.sealed : record.escrow;
}

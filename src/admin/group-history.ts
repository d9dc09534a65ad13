import { readBlobs } from "../git/blobs.ts";
import type { Repository } from "../git/repository.ts";
import type { GroupName, SecretName } from "../vault/names.ts";
import { agentPath, groupPath, type RecordPath, VAULT_PATH } from "../vault/paths.ts";
import type { SignedRecord } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import type { Beside } from "./key-holders.ts";
import { OwnersEver } from "./owners-ever.ts";
import { findPastRecord, type PastRecord, readPastRecords } from "./past-records.ts";

export interface GroupHistory {
  /** Every version that an owner signed, newest first: of the group's record, secrets and grants, and of all agents. */
  readonly past: readonly PastRecord[];
  readonly beside: Beside;
}

/**
 * What git's history holds of a group, verified.
 *
 * @param names the secrets that matter; all of the group unless something else is said.
 * @param known who may have signed it, for who reads the history of several groups.
 */
export async function readGroupHistory(
  repository: Repository,
  vault: Vault,
  group: GroupName,
  names: readonly SecretName[] | undefined = undefined,
  commits: readonly string[] = ["HEAD"],
  known: OwnersEver | undefined = undefined,
): Promise<GroupHistory> {
  const secrets = (names ?? ["*"]).map((name) => `groups/${group}/secrets/${name}.json`);
  const paths = [
    VAULT_PATH,
    groupPath(group),
    ...secrets,
    `agents/*/grants/${group}.json`,
    "agents/*/agent.json",
  ];
  const found = await readPastRecords(repository, paths, commits);
  const own = found.filter(({ record }) => record.vault === vault.id);
  const owners = known ?? new OwnersEver(vault, own);
  const isSigned = ({ record }: PastRecord) => owners.findSigner(record) !== undefined;
  const past = own.filter(({ record }) => record.type !== "vault").filter(isSigned);
  return { past, beside: await readBeside(repository, past, owners, pathsBeside) };
}

/** Who may have signed what stands in the history of `HEAD`. */
export async function readOwnersEver(repository: Repository, vault: Vault): Promise<OwnersEver> {
  return new OwnersEver(vault, await readPastRecords(repository, [VAULT_PATH]));
}

/** Reads what matters in the same commit, as far as an owner signed it. */
export async function readBeside(
  repository: Repository,
  past: readonly PastRecord[],
  owners: OwnersEver,
  pathsBeside: (record: SignedRecord) => readonly RecordPath[],
): Promise<Beside> {
  const wanted = new Map<string, RecordPath>();
  for (const version of past)
    for (const path of pathsBeside(version.record)) wanted.set(nameBeside(version, path), path);
  // A folder whose name has a line break cannot be asked for: then nothing is known beside.
  const names = [...wanted.keys()].filter((name) => !name.includes("\n"));
  const found = new Map<string, SignedRecord>();
  const blobs = readBlobs(repository.workTree, names);
  for (const name of names) {
    const { value: bytes } = await blobs.next();
    const path = wanted.get(name);
    const record = bytes === undefined || path === undefined ? undefined : findPastRecord(path, bytes);
    if (record !== undefined && owners.findSigner(record) !== undefined) found.set(name, record);
  }
  return (version, path) => found.get(nameBeside(version, path));
}

/** For a secret the group, for a grant its agent too, for a group the owners. */
function pathsBeside(record: SignedRecord): RecordPath[] {
  if (record.type === "secret") return [groupPath(record.group)];
  if (record.type === "group") return [VAULT_PATH];
  return record.type === "grant" ? [groupPath(record.group), agentPath(record.agent)] : [];
}

/** `COMMIT:PATH`, in the folder where the vault was then. */
function nameBeside({ version, path: own }: PastRecord, path: RecordPath): string {
  return `${version.commit}:${version.path.slice(0, -own.length)}${path}`;
}

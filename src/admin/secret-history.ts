import type { Repository } from "../git/repository.ts";
import { formatRef, type SecretRef } from "../vault/names.ts";
import { secretPath, VAULT_PATH } from "../vault/paths.ts";
import { recordDigest, signedBytes } from "../vault/record.ts";
import type { SecretRecord, SecretTombstone } from "../vault/schema.ts";
import type { Vault } from "../vault/vault.ts";
import { MistypedWord, VaultError } from "../vault-error.ts";
import { type EverOwner, OwnersEver } from "./owners-ever.ts";
import { type PastRecord, readPastRecords } from "./past-records.ts";

/** What a version was, seen from those before it: a new value; the same one for other readers; one described anew; none. */
export type Change = "set" | "resealed" | "changed" | "removed";

/** A version of a secret that an owner, of today or before, signed. */
export interface SignedVersion {
  readonly number: number;
  readonly past: PastRecord;
  readonly record: SecretRecord | SecretTombstone;
  readonly signer: EverOwner;
  readonly change: Change;
}

/** What stands in history as a version of a secret, and no owner signed. Nothing it says is known to be true. */
export interface UnsignedVersion {
  readonly number: number;
  readonly past: PastRecord;
  readonly signer: undefined;
}

export type SecretVersion = SignedVersion | UnsignedVersion;

export interface SecretHistory {
  /** Oldest first, numbered from 1. */
  readonly versions: readonly SecretVersion[];
  /** The secret as it stands in the work tree, where there is one. */
  readonly current: SecretRecord | undefined;
  /** Whether that, or its removal, is in no commit yet. */
  readonly isUncommitted: boolean;
  /** Whether older versions may be missing here: a shallow clone. */
  readonly isCut: boolean;
}

/** Every version of a secret in the history of HEAD. A version that came by several ways is one. */
export async function readSecretHistory(
  repository: Repository,
  vault: Vault,
  ref: SecretRef,
): Promise<SecretHistory> {
  const path = secretPath(ref.group, ref.name);
  const past = await readPastRecords(repository, [VAULT_PATH, path]);
  const own = past.filter(({ record }) => record.vault === vault.id);
  const versions = numberVersions(
    own.filter((version) => version.path === path).reverse(),
    new OwnersEver(vault, own),
  );
  const current = vault.findSecret(ref);
  const isCut = await repository.isShallow();
  if (versions.length === 0 && current === undefined) throw unknown(vault, ref, isCut);
  return {
    versions,
    current: current?.type === "secret" ? current : undefined,
    isUncommitted: current !== undefined && !versions.some((version) => isOf(version, current)),
    isCut,
  };
}

/** @param past oldest first. */
function numberVersions(past: readonly PastRecord[], owners: OwnersEver): SecretVersion[] {
  const versions: SecretVersion[] = [];
  const known = new Set<string>();
  for (const version of past) {
    const { record } = version;
    if (record.type !== "secret" && !(record.type === "tombstone" && record.of === "secret")) continue;
    const signer = owners.findSigner(record);
    const id = signer === undefined ? `unsigned ${version.version.blob}` : digestOf(record);
    if (known.has(id)) continue;
    known.add(id);
    const number = versions.length + 1;
    if (signer === undefined) versions.push({ number, past: version, signer });
    else versions.push({ number, past: version, record, signer, change: changeOf(record, versions) });
  }
  return versions;
}

/** A value's beginning is told by when it was set: a rollback sets an old value, with its old id, anew. */
function changeOf(record: SecretRecord | SecretTombstone, before: readonly SecretVersion[]): Change {
  if (record.type === "tombstone") return "removed";
  const last = before.findLast(
    (version): version is SignedVersion & { record: SecretRecord } =>
      version.signer !== undefined &&
      version.record.type === "secret" &&
      isSameSetting(version.record, record),
  );
  if (last === undefined) return "set";
  return described(last.record) === described(record) ? "resealed" : "changed";
}

function isSameSetting(a: SecretRecord, b: SecretRecord): boolean {
  return a.valueId === b.valueId && a.setAt === b.setAt;
}

/** What an owner says of a secret besides its value. */
function described({ deliver, description, env, expiresAt, unsafeName }: SecretRecord): string {
  return JSON.stringify([deliver, description, env, expiresAt, unsafeName]);
}

function isOf(version: SecretVersion, record: SecretRecord | SecretTombstone): boolean {
  return version.signer !== undefined && digestOf(version.record) === digestOf(record);
}

function digestOf(record: SecretRecord | SecretTombstone): string {
  return recordDigest(signedBytes(record));
}

function unknown(vault: Vault, ref: SecretRef, isCut: boolean): VaultError {
  const what = `no secret of this name, now or in this branch's history: ${formatRef(ref)}`;
  if (isCut) {
    const hint = "this clone's history is cut; get the rest with git fetch --unshallow";
    return new VaultError("unknown-secret", what, hint);
  }
  return new MistypedWord("unknown-secret", what, "see what there is: vault-run list", {
    word: formatRef(ref),
    choices: () => vault.groups().flatMap(({ name }) => vault.secrets(name).map(formatRef)),
  });
}

import { relative } from "node:path";
import type { Repository } from "../../git/repository.ts";
import { type Machine, stateFolder } from "../../vault/machine.ts";
import { type RecordPath, VAULT_PATH } from "../../vault/paths.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import { readUnverifiedVault, type UnverifiedVault } from "../../vault/unverified-vault.ts";
import { Vault } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";
import { readCommit } from "../commit-records.ts";
import { readPastRecords } from "../past-records.ts";
import { openReader, type ReaderOptions } from "../reader-session.ts";
import { IncomingPins, putBack } from "./incoming-pins.ts";
import type { Meeting } from "./integrate.ts";

/**
 * Verifies the vault of a commit that came from elsewhere, every record of it, before anything here moves.
 *
 * @throws {VaultError} that says what is refused.
 */
export async function verifyIncoming(
  machine: Machine,
  repository: Repository,
  root: string,
  commits: Meeting,
  options: ReaderOptions,
): Promise<void> {
  const [incoming, base, local] = [
    await readCommit(repository, root, commits.incoming),
    await readCommit(repository, root, commits.base),
    await readCommit(repository, root, "HEAD"),
  ];
  if (!incoming.has(VAULT_PATH) && !local.has(VAULT_PATH)) return;
  try {
    const unverified = readUnverifiedVault(incoming);
    requireSameVault(unverified.id, local);
    const pins = new IncomingPins(stateFolder(machine, unverified.id), base, local);
    const vault = await verify(machine, unverified, options, pins);
    requireReadable(vault);
    await requireNoneTakenBack(repository, vault, commits);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new VaultError(error.code, `what came is refused, ${error.message}`, error.hint, { cause: error });
  }
}

/**
 * Where the owners changed here, a key that is newer than what came says nothing of it, nor do the owners whom its file names:
 * then it goes by those whom this machine has accepted. All is verified once more when it is merged, by every source.
 */
async function verify(
  machine: Machine,
  unverified: UnverifiedVault,
  options: ReaderOptions,
  pins: IncomingPins,
): Promise<Vault> {
  if (pins.areOwnersOurs && pins.findOwners() !== undefined) return Vault.verify(unverified, pins, []);
  return (await openReader(machine, unverified.files, options, undefined, pins)).vault;
}

/** Every record, and every name that a reader would meet. */
export function requireReadable(vault: Vault): void {
  vault.readAll();
  vault.agents();
  vault.groups();
  const { files } = vault;
  for (const name of files.listFolders("agents")) files.list(`agents/${name}/grants`);
  for (const name of files.listFolders("groups")) files.list(`groups/${name}/secrets`);
}

/** What came and was taken back before anyone here saw it is in no pin: the commits that came tell. */
async function requireNoneTakenBack(
  repository: Repository,
  vault: Vault,
  { incoming, base }: Meeting,
): Promise<void> {
  const folder = `${relative(repository.workTree, vault.files.root)}/`;
  for (const { record, path, version } of await readPastRecords(repository, ["**"], [`^${base}`, incoming])) {
    if (version.path !== `${folder}${path}`) continue;
    const now = vault.find(path);
    if ((now !== undefined && now.serial >= record.serial) || !vault.isSigned(record)) continue;
    throw now === undefined ? gone(path) : putBack(path, now, record);
  }
}

function gone(path: RecordPath): VaultError {
  return new VaultError(
    "record-missing",
    `a record is gone without a tombstone: .vault/${path}`,
    `see who removed it: git log --all -- .vault/${path}; nothing here was changed`,
  );
}

function requireSameVault(id: string, local: RecordSource): void {
  if (!local.has(VAULT_PATH) || readUnverifiedVault(local).id === id) return;
  throw new VaultError(
    "wrong-vault",
    "it is another vault than the one here",
    "see who replaced it: git log; nothing here was changed",
  );
}

import { relative } from "node:path";
import { readHistory } from "../../git/history.ts";
import type { Repository } from "../../git/repository.ts";
import { type Machine, stateFolder } from "../../vault/machine.ts";
import { findPlace, type RecordPath, VAULT_PATH } from "../../vault/paths.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import { readUnverifiedVault } from "../../vault/unverified-vault.ts";
import { VaultError } from "../../vault-error.ts";
import { readCommit } from "../commit-records.ts";
import { openReader, type ReaderOptions } from "../reader-session.ts";
import { IncomingPins } from "./incoming-pins.ts";

/**
 * Verifies the vault of a commit that came from elsewhere, every record of it, before anything here moves.
 *
 * @param base where the two histories parted.
 * @throws {VaultError} that says what is refused.
 */
export async function verifyIncoming(
  machine: Machine,
  repository: Repository,
  root: string,
  commits: { readonly incoming: string; readonly base: string },
  options: ReaderOptions,
): Promise<void> {
  const [incoming, base, local] = [
    await readCommit(repository, root, commits.incoming),
    await readCommit(repository, root, commits.base),
    await readCommit(repository, root, "HEAD"),
  ];
  if (!incoming.has(VAULT_PATH) && !local.has(VAULT_PATH)) return;
  try {
    const { id } = readUnverifiedVault(incoming);
    requireSameVault(id, local);
    const pins = new IncomingPins(stateFolder(machine, id), base, local);
    const { vault } = await openReader(machine, incoming, options, undefined, pins);
    vault.readAll();
    await requireNoneRemoved(repository, root, incoming, commits);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new VaultError(error.code, `what came is refused, ${error.message}`, error.hint, { cause: error });
  }
}

/** A record that came and went again before anyone here saw it is in no pin: the commits that came tell. */
async function requireNoneRemoved(
  repository: Repository,
  root: string,
  incoming: RecordSource,
  commits: { readonly incoming: string; readonly base: string },
): Promise<void> {
  const folder = `${relative(repository.workTree, root)}/`;
  const versions = await readHistory(
    repository,
    [`^${commits.base}`, commits.incoming],
    [`:(top,literal)${folder}`],
  );
  const removed = versions
    .filter(({ blob }) => blob === undefined)
    .map(({ path }) => path.slice(folder.length));
  const gone = removed.find((path) => findPlace(path) !== undefined && !incoming.has(path as RecordPath));
  if (gone === undefined) return;
  throw new VaultError(
    "record-missing",
    `a record is gone without a tombstone: .vault/${gone}`,
    `see who removed it: git log --all -- .vault/${gone}; nothing here was changed`,
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

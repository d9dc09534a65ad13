import { Repository } from "../../git/repository.ts";
import type { Machine } from "../../vault/machine.ts";
import { VAULT_PATH } from "../../vault/paths.ts";
import { decodeRecord } from "../../vault/record.ts";
import { RecordFiles } from "../../vault/record-files.ts";
import type { VaultRecord } from "../../vault/schema.ts";
import type { TrustSource } from "../../vault/trust.ts";
import { readUnverifiedVault } from "../../vault/unverified-vault.ts";
import { Vault } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";
import { readCommit } from "../commit-records.ts";
import { readFormerOwners } from "../former-owners.ts";
import { NoPins } from "../no-pins.ts";
import { openReader, type ReaderOptions, type ReaderSession } from "../reader-session.ts";
import { checkAgainstBase } from "./base.ts";
import { checkBranches } from "./branches.ts";
import { type Finding, findingOf } from "./finding.ts";
import { checkKeyFiles } from "./key-files.ts";
import { checkRecords } from "./records.ts";
import { checkSealed } from "./sealed.ts";
import { checkStructure } from "./structure.ts";
import { checkWorkTree } from "./work-tree.ts";

export interface CheckOptions extends ReaderOptions {
  /** Absolute path of the `.vault` folder. */
  readonly root: string;
  /** A revision to compare with: what a pull request is to be merged into. */
  readonly base?: string | undefined;
}

export interface Checked {
  readonly session: ReaderSession;
  readonly findings: readonly Finding[];
  /** Whether everything sealed was opened: that takes an owner's key. */
  readonly opened: boolean;
}

/** Looks at everything that can be wrong with a vault, without stopping at the first. Changes nothing. */
export async function checkVault(machine: Machine, options: CheckOptions): Promise<Checked> {
  const repository = await Repository.find(options.root);
  const base =
    options.base === undefined
      ? undefined
      : await readCommit(repository, options.root, await repository.commitOf(options.base));
  const session = await openReader(
    machine,
    new RecordFiles(options.root),
    options,
    base && baseSource(base, options.base ?? ""),
  );
  const findings = await checkSession(machine, session, repository, options.root, base);
  return { session, opened: session.owner !== undefined, findings };
}

/**
 * The same for a vault that is open.
 *
 * @param base what stood in the commit to compare with.
 */
export async function checkSession(
  machine: Machine,
  { vault, owner }: ReaderSession,
  repository: Repository,
  root: string,
  base?: Snapshot,
): Promise<Finding[]> {
  const { records, findings } = checkRecords(vault);
  const sealed =
    owner === undefined ? [] : await checkSealed(records, owner, await readFormerOwners(repository, vault));
  return [
    ...findings,
    ...checkStructure(records, machine.now()),
    ...sealed,
    ...(base === undefined ? [] : compareWith(base, vault, records)),
    ...checkBranches(vault.pins),
    ...checkKeyFiles(machine, vault.id),
    ...(await checkWorkTree(repository, root, vault.files.paths())),
  ];
}

type Snapshot = Awaited<ReturnType<typeof readCommit>>;

/** Who owned the vault in the base: what a job goes by that was told nothing else. */
function baseSource(base: Snapshot, revision: string): TrustSource {
  const { bytes } = readUnverifiedVault(base);
  const record = decodeRecord(VAULT_PATH, bytes) as VaultRecord;
  return { from: `the base (${revision})`, keys: record.owners.map((owner) => owner.verifyKey) };
}

/** The base's records are compared as they are signed; one that does not verify there is no measure for anything. */
function compareWith(
  base: Snapshot,
  vault: Vault,
  records: ReturnType<typeof checkRecords>["records"],
): Finding[] {
  try {
    const before = Vault.verify(readUnverifiedVault(base), new NoPins(), [baseSource(base, "the base")]);
    if (before.id !== vault.id) throw wrongBase();
    return checkAgainstBase(checkRecords(before).records, records, new Set(vault.files.paths()));
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return [findingOf(error, "the base")];
  }
}

function wrongBase(): VaultError {
  return new VaultError("wrong-vault", "the base holds another vault", "compare with a commit of this vault");
}

import { AuditLog } from "../audit/log.ts";
import { findHeadCommit } from "../git/head.ts";
import { trustSources } from "../vault/key-lookup.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import type { VaultId } from "../vault/names.ts";
import { readOwnerKey } from "../vault/owner-key.ts";
import { findPlace, type RecordPath } from "../vault/paths.ts";
import { Pins } from "../vault/pins.ts";
import { RecordFiles } from "../vault/record-files.ts";
import { RecordSnapshot } from "../vault/record-snapshot.ts";
import type { RecordSource } from "../vault/record-source.ts";
import type { TrustSource } from "../vault/trust.ts";
import { readUnverifiedVault } from "../vault/unverified-vault.ts";
import { Vault } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import { rootOf, type Target, unfinished } from "./apply.ts";
import { ATTRIBUTES_PATH, type Journal } from "./journal.ts";
import { NoPins } from "./no-pins.ts";
import type { Narrator, OperateOptions } from "./operate.ts";
import { OwnerSession } from "./owner-session.ts";

// What follows a change that another process made and did not live to pin or to record.

/**
 * Pins what was finished, so that nothing older is taken for the vault again. What the journal says was written is verified by
 * whom this machine has accepted as owners: the key that began it may be an owner's no more by what it did, and the files
 * may have moved on since.
 *
 * @throws {VaultError} `interrupted` where it cannot be pinned: the journal stays, and the next verb does it.
 */
export async function pinFinished(
  machine: Machine,
  { ownerKeyFile, doing }: OperateOptions,
  target: Target,
  journal: Journal,
): Promise<void> {
  // A merge may still be given up, and what it put in place with it.
  if (journal.event.action === "resolve" && !journal.commit) return;
  try {
    const files = asWritten(journal, target);
    const unverified = readUnverifiedVault(files);
    const pins = new Pins(stateFolder(machine, unverified.id));
    const sources = await acceptedOwners(machine, unverified.id, pins, ownerKeyFile);
    // It may be older by now than what was pinned meanwhile: that pin stays.
    const vault = Vault.verify(unverified, new NoPins(), sources);
    for (const path of writtenPaths(journal)) vault.find(path);
    const self = { pid: machine.pid, host: machine.host, doing };
    await pins.raise(vault.seen, vault.ownerKeys, self);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw unfinished(`an interrupted operation (${journal.message}) is finished`, error);
  }
}

/** Those that this machine has accepted; where there are none yet, those by the key at hand. */
async function acceptedOwners(
  machine: Machine,
  vault: VaultId,
  pins: Pins,
  ownerKeyFile: string | undefined,
): Promise<TrustSource[]> {
  const pinned = pins.findOwners();
  if (pinned === undefined)
    return OwnerSession.sourcesOf(machine, await readOwnerKey(machine, vault, ownerKeyFile));
  const source = { from: "this machine", keys: pinned.current, former: pinned.former };
  return [source, ...trustSources(machine, undefined)];
}

/** The vault as the journal says that it was written. */
function asWritten(journal: Journal, target: Target): RecordSource {
  const disk = new RecordFiles(rootOf(journal, target));
  const files = new Map<string, Buffer>();
  for (const path of disk.paths()) {
    const bytes = findPlace(path) === undefined ? undefined : disk.read(path as RecordPath);
    if (bytes !== undefined) files.set(path, bytes);
  }
  for (const { path, after } of journal.writes) files.set(path, Buffer.from(after));
  return new RecordSnapshot(disk.root, files);
}

function writtenPaths({ writes }: Journal): RecordPath[] {
  return writes.flatMap(({ path }) => (path === ATTRIBUTES_PATH ? [] : [path as RecordPath]));
}

/** Writes the audit line of what was finished, unless who was killed had. Without an owner's key there is none, which is told. */
export async function recordFinished(
  machine: Machine,
  { ownerKeyFile }: OperateOptions,
  target: Target,
  finished: Journal,
  narrator: Narrator,
): Promise<void> {
  const root = rootOf(finished, target);
  try {
    const { vault, signingKey } = await OwnerSession.open(machine, root, ownerKeyFile);
    const log = new AuditLog(machine, vault.id, findHeadCommit(root));
    await log.appendOnce(finished.event, signingKey, finished.token);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    narrator.note(`the audit log has no line of that: ${error.message}`);
  }
}

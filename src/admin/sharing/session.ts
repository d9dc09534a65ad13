import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { byFingerprint, type Readers } from "../../audit/reader.ts";
import type { Writer } from "../../audit/writer.ts";
import { Plumbing } from "../../git/plumbing.ts";
import { findRemote } from "../../git/remote.ts";
import { Repository } from "../../git/repository.ts";
import { takeLock } from "../../vault/lock.ts";
import type { Machine } from "../../vault/machine.ts";
import { RecordFiles } from "../../vault/record-files.ts";
import type { Vault } from "../../vault/vault.ts";
import { makeFolder } from "../../vault/write-file.ts";
import { knownReaders } from "../known-readers.ts";
import { openReader, type ReaderOptions } from "../reader-session.ts";

const LOCK_WAIT_MS = 30_000;

export interface SharingOptions extends ReaderOptions {
  /** Absolute path of the `.vault` folder. */
  readonly root: string;
  /** The name of a remote, where it is not to be the default one. */
  readonly remote: string | undefined;
  /** What the lock says its holder does. */
  readonly doing: string;
}

/** What pushing and fetching logs go by. */
export interface Sharing {
  readonly vault: Vault;
  readonly readers: Readers;
  readonly plumbing: Plumbing;
  readonly remote: string;
}

/** One at a time in a repository, where that can be written to. */
export async function withSharing<T>(
  machine: Machine,
  options: SharingOptions,
  note: (text: string) => void,
  work: (sharing: Sharing) => Promise<T>,
): Promise<T> {
  const repository = await Repository.find(dirname(options.root));
  const remote = await findRemote(repository, options.remote);
  const { vault } = await openReader(machine, new RecordFiles(options.root), options);
  const readers = byFingerprint(await knownReaders(vault));
  const plumbing = await Plumbing.open(repository, tmpdir());
  try {
    const lock = plumbing.canKeep ? await waitForLock(machine, repository, options.doing, note) : undefined;
    try {
      const done = await work({ vault, readers, plumbing, remote });
      if (plumbing.canKeep) await plumbing.packLoose();
      return done;
    } finally {
      lock?.release();
    }
  } finally {
    plumbing.close();
  }
}

/**
 * Not the one of owners' operations: these go on while a log is on its way. Nor one of this work tree's alone: others of the same
 * repository share its refs.
 */
async function waitForLock(
  machine: Machine,
  repository: Repository,
  doing: string,
  note: (text: string) => void,
) {
  const self = { pid: machine.pid, host: machine.host, doing };
  const common = (await repository.read(["rev-parse", "--git-common-dir"])).replace(/\n$/, "");
  const folder = join(resolve(repository.workTree, common), "vault-run");
  makeFolder(folder);
  return takeLock(join(folder, "lock-audit"), self, {
    waitMs: LOCK_WAIT_MS,
    onWait: (holder) => note(`waiting for another vault-run: ${holder.doing}, process ${holder.pid}`),
  });
}

/** `crawler on web-1`: whose log it is, in words. */
export function writerName({ key, host }: Writer, readers: Readers): string {
  const { agent, owner } = readers.get(key) ?? {};
  const named = agent ?? (owner === undefined ? undefined : `owner ${owner}`);
  return `${named ?? `key ${key.slice(0, 16)}`} on ${host}`;
}

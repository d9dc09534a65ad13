import {
  type Counterpart,
  fetchCounterpart,
  findCounterpart,
  forgetIncoming,
  pushTo,
  trackCounterpart,
} from "../../git/remote.ts";
import type { Repository } from "../../git/repository.ts";
import type { Machine } from "../../vault/machine.ts";
import { RecordFiles } from "../../vault/record-files.ts";
import { VaultError } from "../../vault-error.ts";
import { type Target, unfinished } from "../apply.ts";
import type { Resolution } from "../merge/plan-resolve.ts";
import { type Asking, resolveUnderLock } from "../merge/resolve.ts";
import { type Narrator, type OperateOptions, withTarget } from "../operate.ts";
import { openReader, type ReaderOptions } from "../reader-session.ts";
import { requireReadable, verifyIncoming } from "./incoming.ts";
import { integrate } from "./integrate.ts";

// Git is the sync: what came from the other repository is verified as a whole before anything here moves, then the branch
// is fast-forwarded, or our own commits are put on top of what came, and pushed. What is refused leaves every branch, the
// index and the files as they were.

const ATTEMPTS = 5;

export interface SyncOptions extends Omit<OperateOptions, "commit" | "doing">, ReaderOptions {}

export interface Synced {
  readonly remote: string;
  readonly branch: string;
  /** Commits that came and that went. */
  readonly came: number;
  readonly went: number;
  /** What was resolved on the way, where something was. */
  readonly notes: readonly string[];
}

export function syncVault(
  machine: Machine,
  options: SyncOptions,
  narrator: Narrator,
  asking: Asking,
): Promise<Synced> {
  const operating = { ...options, commit: true, doing: "sync" };
  return withTarget(machine, operating, narrator, async (target) => {
    const counterpart = await findCounterpart(target.repository);
    try {
      return await syncUnderLock(machine, operating, target, counterpart, narrator, asking);
    } finally {
      await forgetIncoming(target.repository);
    }
  });
}

async function syncUnderLock(
  machine: Machine,
  options: OperateOptions & ReaderOptions,
  target: Target,
  counterpart: Counterpart,
  narrator: Narrator,
  asking: Asking,
): Promise<Synced> {
  const { repository } = target;
  const notes: string[] = [];
  let came = 0;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const incoming = await fetchCounterpart(repository, counterpart);
    const before = await repository.commitOf("HEAD");
    let settled: Settled;
    try {
      if (incoming !== undefined) {
        const base = await commonBase(repository, incoming, counterpart);
        const news = await countCommits(repository, "HEAD", incoming);
        if (news > 0) {
          await verifyIncoming(machine, repository, options.root, { incoming, base }, options);
          const resolution = await integrate(repository, options.root, { incoming, base }, () =>
            resolveUnderLock(machine, { ...options, commit: false }, target, incoming, narrator, asking),
          );
          if (resolution !== undefined) notes.push(...said(resolution));
          came += news;
        }
      }
      settled = await settle(machine, options, target, narrator, asking);
      notes.push(...settled.notes);
    } catch (error) {
      await takeBack(repository, before, error);
      throw error;
    }
    try {
      await settled.pin();
    } catch (error) {
      // It may be pinned in part: taken back, the branch would be older than what this machine has seen.
      throw (await repository.commitOf("HEAD")) === before
        ? error
        : unfinished("what came is in your branch", error, "mend that and sync again: it is pinned then");
    }
    if (incoming !== undefined) await trackCounterpart(repository, counterpart, incoming);
    const went = await countCommits(repository, incoming, "HEAD");
    if (went === 0 || (await pushTo(repository, counterpart)))
      return { remote: counterpart.remote, branch: counterpart.branch, came, went, notes };
    narrator.note("something else was pushed meanwhile; once more");
  }
  throw new VaultError(
    "git-failed",
    `others kept pushing to ${counterpart.remote} meanwhile: ${counterpart.branch}`,
    "run it again; what came so far is in your branch",
  );
}

/** What came could not be used after all. A journal that waits to be finished needs the files as they are. */
async function takeBack(repository: Repository, before: string, error: unknown): Promise<void> {
  if (error instanceof VaultError && error.code === "interrupted") return;
  if ((await repository.commitOf("HEAD")) === before) return;
  // As a switch does it: what is staged, or changed in files that did not come, stays as it is.
  await repository.run(["read-tree", "-m", "-u", "HEAD", before]);
  await repository.run(["update-ref", "-m", "vault-run: sync taken back", "HEAD", before]);
}

interface Settled {
  readonly notes: readonly string[];
  /** Pins what the branch now holds. */
  readonly pin: () => Promise<void>;
}

/** Mends what is wrong in meaning, where an owner is here to do it. */
async function settle(
  machine: Machine,
  options: OperateOptions & ReaderOptions,
  target: Target,
  narrator: Narrator,
  asking: Asking,
): Promise<Settled> {
  const { vault, owner } = await openReader(machine, new RecordFiles(options.root), options);
  requireReadable(vault);
  if (owner !== undefined) {
    const resolution = await resolveUnderLock(machine, options, target, undefined, narrator, asking);
    // What it wrote is pinned, with all that it read.
    if (resolution.plan !== undefined) return { notes: said(resolution), pin: async () => {} };
  }
  return { notes: [], pin: () => vault.pin({ pid: machine.pid, host: machine.host, doing: options.doing }) };
}

function said({ notes, rekeyed }: Resolution): readonly string[] {
  if (rekeyed.length === 0) return notes;
  return [...notes, `fresh keys for ${rekeyed.join(" ")}, and all of it sealed again`];
}

async function commonBase(
  repository: Repository,
  incoming: string,
  { remote, branch }: Counterpart,
): Promise<string> {
  const base = await repository.try(["merge-base", "HEAD", incoming]);
  if (base !== undefined && base !== "") return base;
  throw new VaultError(
    "git-not-ready",
    `branch ${branch} and its counterpart at ${remote} have no commit in common`,
    "it is another repository, or a shallow clone: git fetch --unshallow",
  );
}

/** How many commits `to` has that `from` has not. */
async function countCommits(repository: Repository, from: string | undefined, to: string): Promise<number> {
  const not = from === undefined ? [] : [`^${from}`];
  return Number(await repository.run(["rev-list", "--count", to, ...not]));
}

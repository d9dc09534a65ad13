import { join } from "node:path";
import { AuditLog } from "../audit/log.ts";
import { findHeadCommit } from "../git/head.ts";
import { Repository } from "../git/repository.ts";
import { digest } from "../vault/fingerprint.ts";
import { type LockHolder, takeLock } from "../vault/lock.ts";
import type { Machine } from "../vault/machine.ts";
import type { RecordPath } from "../vault/paths.ts";
import type { Pin } from "../vault/pins.ts";
import { encodeRecord } from "../vault/record.ts";
import { VaultError } from "../vault-error.ts";
import { applyPlan, finishInterrupted, prepareScratch, type Target } from "./apply.ts";
import { OwnerSession } from "./owner-session.ts";
import type { Plan } from "./plan.ts";

const LOCK_WAIT_MS = 30_000;

export interface OperateOptions {
  /** Absolute path of the `.vault` folder. */
  readonly root: string;
  readonly ownerKeyFile?: string | undefined;
  /** False: write the files and leave the commit to the user. */
  readonly commit: boolean;
  /** What the lock says its holder does. */
  readonly doing: string;
}

export interface Narrator {
  /** Something to know that is no failure. */
  note(text: string): void;
}

export interface Done {
  readonly plan: Plan;
  /** Short id of the commit; undefined with `commit: false`. */
  readonly commit: string | undefined;
}

/**
 * One owner operation: takes the lock, finishes what an earlier one left, verifies, plans, applies, pins, records.
 * `makePlan` may resolve to undefined: the owner thought better of it, and nothing is written.
 */
export async function operate(
  machine: Machine,
  options: OperateOptions,
  narrator: Narrator,
  makePlan: (session: OwnerSession) => Promise<Plan | undefined>,
): Promise<Done | undefined> {
  return withTarget(machine, options, narrator, async (target) => {
    const session = OwnerSession.open(machine, options.root, options.ownerKeyFile);
    const plan = await makePlan(session);
    if (plan === undefined) return undefined;
    const commit = await applyPlan(plan, target, options.commit);
    await afterwards(machine, session, plan, narrator);
    return { plan, commit };
  });
}

/** Holds the lock around `work`, in a repository that can be committed to and where nothing is left half done. */
export async function withTarget<T>(
  machine: Machine,
  options: OperateOptions,
  narrator: Narrator,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const repository = await Repository.find(join(options.root, ".."));
  if (options.commit) await repository.requireCommittable();
  const scratchFolder = prepareScratch(repository);
  const onWait = (holder: LockHolder) =>
    narrator.note(`waiting for another vault-run: ${holder.doing}, process ${holder.pid}`);
  const self = { pid: machine.pid, host: machine.host, doing: options.doing };
  const lock = await takeLock(join(scratchFolder, "lock"), self, { waitMs: LOCK_WAIT_MS, onWait });
  try {
    const target = { root: options.root, repository, scratchFolder };
    const finished = await finishInterrupted(target);
    if (finished !== undefined) narrator.note(`finished what was interrupted: ${finished}`);
    return await work(target);
  } finally {
    lock?.release();
  }
}

/** The change is made; what fails from here on is told and does not undo it. */
async function afterwards(
  machine: Machine,
  session: OwnerSession,
  plan: Plan,
  narrator: Narrator,
): Promise<void> {
  const seen = new Map<RecordPath, Pin>(session.vault.seen);
  for (const { path, record } of plan.writes)
    seen.set(path, { serial: record.serial, digest: digest(encodeRecord(record)) });
  const log = new AuditLog(machine, session.vault.id, findHeadCommit(session.vault.files.root));
  const { action, agent, group, secrets } = plan;
  try {
    await session.vault.pins.save(seen, session.vault.owners, {
      pid: machine.pid,
      host: machine.host,
      doing: action,
    });
    log.append(
      {
        action,
        ...(agent === undefined ? {} : { agent }),
        ...(group === undefined ? {} : { group }),
        ...(secrets === undefined ? {} : { secrets }),
      },
      session.signingKey,
    );
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    narrator.note(`the change is made, but ${error.message}`);
  }
}

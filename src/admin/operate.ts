import { join } from "node:path";
import type { SigningKey } from "../age/signing-key.ts";
import { AuditLog } from "../audit/log.ts";
import { findHeadCommit } from "../git/head.ts";
import { Repository } from "../git/repository.ts";
import { takeLock } from "../vault/lock.ts";
import { type Machine, stateFolder } from "../vault/machine.ts";
import type { VaultId } from "../vault/names.ts";
import type { RecordPath } from "../vault/paths.ts";
import { type OwnerKeys, type Pin, Pins } from "../vault/pins.ts";
import { recordDigest, signedBytes } from "../vault/record.ts";
import { ownerKeys } from "../vault/vault.ts";
import { VaultError } from "../vault-error.ts";
import {
  applyPlan,
  closeJournal,
  finishInterrupted,
  prepareScratch,
  type Target,
  tidyScratch,
} from "./apply.ts";
import { readBasis } from "./basis.ts";
import { requireNewest } from "./branched-pins.ts";
import { pinFinished, recordFinished } from "./finished.ts";
import type { Journal } from "./journal.ts";
import { OwnerSession } from "./owner-session.ts";
import type { Plan, Progress } from "./plan.ts";

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
  /** The vault's files are being written. */
  readonly wrote?: Progress;
}

export interface Done {
  readonly plan: Plan;
  /** Short id of the commit; undefined with `commit: false`, and where the plan writes nothing. */
  readonly commit: string | undefined;
}

/**
 * One owner operation: takes the lock, finishes what an earlier one left, verifies, plans, applies, pins, records.
 *
 * @throws whatever `makePlan` throws, before anything is written.
 */
export function operate(
  machine: Machine,
  options: OperateOptions,
  narrator: Narrator,
  makePlan: (session: OwnerSession) => Promise<Plan>,
): Promise<Done> {
  return withTarget(machine, options, narrator, async (target) => {
    const basis = await readBasis(target);
    const { watched } = basis;
    const session = await OwnerSession.open(machine, options.root, options.ownerKeyFile, { watched });
    const { vault, signingKey } = session;
    const plan = await makePlan(session);
    requireNewest(plan, vault.pins, options.root);
    if (plan.writes.length === 0) return { plan, commit: undefined };
    const owners = ownersAfter(plan) ?? vault.ownerKeys;
    const commit = await applyPlan(plan, target, options.commit, basis, (token) =>
      afterwards(machine, vault.id, plan, token, signingKey, vault.seen, owners, options, narrator),
    );
    return { plan, commit };
  });
}

/** Holds the lock around `work`, in a repository that can be committed to and where nothing is left half done. */
export async function withTarget<T>(
  machine: Machine,
  options: OperateOptions,
  narrator: Narrator,
  work: (target: Target, finished: Journal | undefined) => Promise<T>,
): Promise<T> {
  const repository = await Repository.find(join(options.root, ".."));
  if (options.commit) await repository.requireCommittable();
  const scratchFolder = prepareScratch(repository);
  const self = { pid: machine.pid, host: machine.host, doing: options.doing };
  const lock = await takeLock(join(scratchFolder, "lock"), self, {
    waitMs: LOCK_WAIT_MS,
    onWait: (holder) =>
      narrator.note(`waiting for another vault-run: ${holder.doing}, process ${holder.pid}`),
  });
  try {
    tidyScratch(scratchFolder);
    const target = { root: options.root, repository, scratchFolder, wrote: narrator.wrote };
    const finished = await finishInterrupted(target);
    if (finished !== undefined) {
      narrator.note(`finished what was interrupted: ${finished.message}`);
      await pinFinished(machine, options, target, finished);
      await recordFinished(machine, options, target, finished, narrator);
      closeJournal(finished, target);
    }
    return await work(target, finished);
  } finally {
    lock?.release();
  }
}

/**
 * Pins and records a change that is made.
 *
 * @throws {VaultError} where it cannot be pinned: the journal stays then, and the next verb does it.
 */
export async function afterwards(
  machine: Machine,
  vault: VaultId,
  plan: Plan,
  token: string,
  key: SigningKey,
  seen: ReadonlyMap<RecordPath, Pin>,
  owners: OwnerKeys,
  options: OperateOptions,
  narrator: Narrator,
): Promise<void> {
  await recordChange(machine, vault, plan, token, key, options, narrator);
  const pins = new Map(seen);
  for (const write of plan.writes) {
    pins.set(write.path, { serial: write.record.serial, digest: recordDigest(signedBytes(write.record)) });
  }
  const self = { pid: machine.pid, host: machine.host, doing: options.doing };
  await new Pins(stateFolder(machine, vault)).raise(pins, owners, self);
}

export async function recordChange(
  machine: Machine,
  vault: VaultId,
  plan: Plan,
  token: string,
  key: SigningKey,
  options: OperateOptions,
  narrator: Narrator,
): Promise<void> {
  try {
    await new AuditLog(machine, vault, findHeadCommit(options.root)).append(plan.event, key, token);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    narrator.note(`the change is made, but ${error.message}`);
  }
}

/** The owners that a plan makes; undefined where it leaves them as they are. */
function ownersAfter(plan: Plan): OwnerKeys | undefined {
  const written = plan.writes.map((write) => write.record).find((candidate) => candidate.type === "vault");
  return written === undefined ? undefined : ownerKeys(written);
}

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
import { applyPlan, finishInterrupted, prepareScratch, type Target } from "./apply.ts";
import type { Journal } from "./journal.ts";
import { OwnerSession } from "./owner-session.ts";
import type { OwnerEvent, Plan } from "./plan.ts";

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
  return withTarget(machine, options, narrator, async (target, finished) => {
    const session = await OwnerSession.open(machine, options.root, options.ownerKeyFile).catch((error) => {
      // The key that began it may be an owner's no more by what it did.
      if (finished !== undefined) narrator.note("the audit log has no line of that: this key cannot sign it");
      throw error;
    });
    const { vault, signingKey } = session;
    if (finished !== undefined) record(machine, vault.id, finished.event, signingKey, options.root, narrator);
    const plan = await makePlan(session);
    if (plan.writes.length === 0) return { plan, commit: undefined };
    const commit = await applyPlan(plan, target, options.commit);
    const owners = ownersAfter(plan) ?? vault.ownerKeys;
    await afterwards(machine, vault.id, plan, signingKey, vault.seen, owners, options, narrator);
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
    const target = { root: options.root, repository, scratchFolder };
    const finished = await finishInterrupted(target);
    if (finished !== undefined) narrator.note(`finished what was interrupted: ${finished.message}`);
    return await work(target, finished);
  } finally {
    lock?.release();
  }
}

/** Pins and records a change that is made; what fails from here on is told and does not undo it. */
export async function afterwards(
  machine: Machine,
  vault: VaultId,
  plan: Plan,
  key: SigningKey,
  seen: ReadonlyMap<RecordPath, Pin>,
  owners: OwnerKeys,
  options: OperateOptions,
  narrator: Narrator,
): Promise<void> {
  const pins = new Map(seen);
  for (const write of plan.writes) {
    pins.set(write.path, { serial: write.record.serial, digest: recordDigest(signedBytes(write.record)) });
  }
  const self = { pid: machine.pid, host: machine.host, doing: options.doing };
  try {
    await new Pins(stateFolder(machine, vault)).save(pins, owners, self);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    narrator.note(`the change is made, but ${error.message}`);
  }
  record(machine, vault, plan.event, key, options.root, narrator);
}

/** The owners that a plan makes; undefined where it leaves them as they are. */
function ownersAfter(plan: Plan): OwnerKeys | undefined {
  const written = plan.writes.map((write) => write.record).find((candidate) => candidate.type === "vault");
  return written === undefined ? undefined : ownerKeys(written);
}

function record(
  machine: Machine,
  vault: VaultId,
  event: OwnerEvent,
  key: SigningKey,
  root: string,
  narrator: Narrator,
): void {
  try {
    new AuditLog(machine, vault, findHeadCommit(root)).append(event, key);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    narrator.note(`the change is made, but ${error.message}`);
  }
}

import { join } from "node:path";
import { findOtherHead } from "../../git/merge-state.ts";
import { Repository } from "../../git/repository.ts";
import type { Machine } from "../../vault/machine.ts";
import type { GroupName } from "../../vault/names.ts";
import { groupPath, VAULT_PATH } from "../../vault/paths.ts";
import { encodeRecord } from "../../vault/record.ts";
import type { GroupRecord } from "../../vault/schema.ts";
import { ownerKeys } from "../../vault/vault.ts";
import { applyPlan, type Target } from "../apply.ts";
import { readBasis } from "../basis.ts";
import { requireNewest } from "../branched-pins.ts";
import { readFormerOwners } from "../former-owners.ts";
import { afterwards, type Narrator, type OperateOptions, recordChange, withTarget } from "../operate.ts";
import { OwnerSession } from "../owner-session.ts";
import { readPastRecords } from "../past-records.ts";
import type { Plan, Progress } from "../plan.ts";
import type { Rivals } from "./decide.ts";
import { GroupKeys } from "./group-keys.ts";
import { MergingPins } from "./merging-pins.ts";
import { readersOfValues } from "./past-readers.ts";
import { planResolve, type Resolution } from "./plan-resolve.ts";
import { readConflicts, tentativeMerge, withoutReplays } from "./sides.ts";
import { haveOtherOwners, mergeVaultRecords } from "./vault-record.ts";

export interface ResolveOptions extends Omit<OperateOptions, "commit" | "doing"> {}

export interface Asking {
  readonly chooseOlder: (rivals: Rivals) => Promise<boolean>;
  /** Asked once everything is decided, before anything is written. */
  readonly confirm: (resolution: Resolution) => Promise<void>;
  readonly progress: Progress;
}

export interface Resolved extends Resolution {
  /** Whether a merge, rebase or pick is in progress: then the result is staged, and its commit is the user's. */
  readonly staged: boolean;
  readonly commit: string | undefined;
}

/** Finishes a merge of the vault, one that git stopped at or one that is wrong in meaning. */
export async function resolveMerge(
  machine: Machine,
  options: ResolveOptions,
  narrator: Narrator,
  asking: Asking,
): Promise<Resolved> {
  const repository = await Repository.find(join(options.root, ".."));
  const other = await findOtherHead(repository);
  const operating = { ...options, commit: other === undefined, doing: "resolve" };
  return withTarget(machine, operating, narrator, (target) =>
    resolveUnderLock(machine, operating, target, other, narrator, asking),
  );
}

export async function resolveUnderLock(
  machine: Machine,
  options: OperateOptions,
  target: Target,
  other: string | undefined,
  narrator: Narrator,
  asking: Asking,
): Promise<Resolved> {
  const { repository } = target;
  const basis = await readBasis(target);
  const conflicts = await withoutReplays(repository, await readConflicts(repository, options.root), other);
  const open = (files: ReturnType<typeof tentativeMerge>) =>
    OwnerSession.open(machine, options.root, options.ownerKeyFile, {
      files,
      pins: new MergingPins(machine, options.root, files, conflicts),
    });
  const first = await open(tentativeMerge(basis.watched, conflicts, encodeRecord));
  const ofVault = conflicts.get(VAULT_PATH);
  const vaultRecord = ofVault === undefined ? undefined : mergeVaultRecords(first, ofVault);
  const session =
    vaultRecord === undefined
      ? first
      : await open(
          tentativeMerge(
            basis.watched,
            new Map([
              ...conflicts,
              [VAULT_PATH, { base: undefined, ours: vaultRecord, theirs: vaultRecord }],
            ]),
            encodeRecord,
          ),
        );
  const commits = ["HEAD", ...(other === undefined ? [] : [other])];
  const past = async (group: GroupName) =>
    (await readPastRecords(repository, [groupPath(group)], commits)).map(
      ({ record }) => record as GroupRecord,
    );
  const resolution = await planResolve(
    {
      session,
      conflicts,
      keys: new GroupKeys(session.identity, past),
      ownersDiffer: ofVault !== undefined && haveOtherOwners(ofVault),
      formerOwners: await readFormerOwners(repository, session.vault, commits),
      readersOf: readersOfValues(repository, session.vault, commits),
      chooseOlder: asking.chooseOlder,
    },
    asking.progress,
  );
  const plan = withVaultRecord(resolution.plan, vaultRecord);
  if (plan === undefined) return { ...resolution, plan, staged: false, commit: undefined };
  requireNewest(plan, session.vault.pins, options.root);
  await asking.confirm(resolution);
  const { vault, signingKey } = session;
  const owners = vaultRecord === undefined ? vault.ownerKeys : ownerKeys(vaultRecord);
  const commit = await applyPlan(plan, target, options.commit, basis, async (token) => {
    // A merge may still be given up, and what it put in place with it: of that nothing is pinned.
    if (!options.commit) await recordChange(machine, vault.id, plan, token, signingKey, options, narrator);
    else await afterwards(machine, vault.id, plan, token, signingKey, vault.seen, owners, options, narrator);
  });
  if (!options.commit)
    await repository.stage(
      plan.writes.map(({ path }) => join(options.root, path)),
      target.scratchFolder,
    );
  return { ...resolution, plan, staged: !options.commit, commit };
}

function withVaultRecord(
  plan: Plan | undefined,
  record: ReturnType<typeof mergeVaultRecords> | undefined,
): Plan | undefined {
  if (record === undefined) return plan;
  const write = { path: VAULT_PATH, record };
  if (plan !== undefined) return { ...plan, writes: [write, ...plan.writes] };
  return { event: { action: "resolve" }, writes: [write], message: "vault-run: resolve a merge" };
}

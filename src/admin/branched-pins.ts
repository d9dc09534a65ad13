import type { OwnerAction } from "../audit/actions.ts";
import { findOnBranches, isInHistory, type OnBranch, otherBranches } from "../git/branches.ts";
import { hasChangeUnderWay, isRebasing } from "../git/head.ts";
import { findPlace, type RecordPath } from "../vault/paths.ts";
import { type Pin, Pins } from "../vault/pins.ts";
import { decodeRecord, recordDigest, signedBytes } from "../vault/record.ts";
import { VaultError } from "../vault-error.ts";
import type { Plan } from "./plan.ts";

// An owner works on branches: what was set on one is absent, or older, on another until they are merged. That is told
// from a rollback by where the newest version is: at the tip of another local branch, which nobody but this user moves, and
// not in the history of the branch that is checked out. What that once had was taken back, by whoever may push to it.
// Only for what nothing is sealed by. vault.json, an agent's record and a group's say whom new values are sealed to: of
// these the newest that was seen is needed, wherever it is, so that no old one makes the owner seal to a key that was
// replaced. Agents get no such leave. Nor is what was read by this leave signed again: signed anew it would be the newest, and
// whoever can have an older one checked out would have it taken for good.

export class BranchedPins extends Pins {
  readonly #root: string;
  #branches: readonly string[] | undefined;
  readonly #elsewhere = new Map<RecordPath, string>();

  /** @param root the absolute path of the `.vault` folder. */
  constructor(stateFolder: string, root: string) {
    super(stateFolder, () => hasChangeUnderWay(root));
    this.#root = root;
  }

  override check(path: RecordPath, seen: Pin): void {
    try {
      super.check(path, seen);
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== "record-rollback") throw error;
      const branch = this.#findBranch(path);
      if (branch === undefined) throw error;
      if (isSealedBy(path)) throw mergeFirst(this.#root, path, branch, "new values are sealed by the newest");
      this.#elsewhere.set(path, branch);
    }
  }

  override expects(path: RecordPath): boolean {
    if (!super.expects(path)) return false;
    const branch = this.#findBranch(path);
    if (branch !== undefined) this.#elsewhere.set(path, branch);
    return branch === undefined;
  }

  override get newerElsewhere(): ReadonlyMap<RecordPath, string> {
    return this.#elsewhere;
  }

  /** The local branch whose tip has the version that is pinned. */
  #findBranch(path: RecordPath): string | undefined {
    const pin = this.find(path);
    if (pin === undefined) return undefined;
    this.#branches ??= otherBranches(this.#root);
    const on = findOnBranches(this.#root, this.#branches, path).find((found) => isPinned(path, found, pin));
    return on === undefined || isInHistory(this.#root, path, on.bytes) ? undefined : on.branch;
  }
}

function isPinned(path: RecordPath, { bytes }: OnBranch, pin: Pin): boolean {
  try {
    const record = decodeRecord(path, bytes);
    return record.serial === pin.serial && recordDigest(signedBytes(record)) === pin.digest;
  } catch (error) {
    if (error instanceof VaultError) return false;
    throw error;
  }
}

function isSealedBy(path: RecordPath): boolean {
  const kind = findPlace(path)?.kind;
  return kind === "vault" || kind === "agent" || kind === "group";
}

/**
 * What these write is the owner's word of now, and nothing of what stood there before; to an allow-list one adds on each
 * branch, and a merge takes all.
 */
const NEW_WORDS: ReadonlySet<OwnerAction> = new Set([
  "add-agent",
  "set",
  "unset",
  "grant",
  "rollback",
  "policy",
  "allow",
]);

/**
 * Refuses a plan that signs again what is newer on another branch.
 *
 * @param root the absolute path of the `.vault` folder.
 */
export function requireNewest({ event, writes }: Plan, pins: Pins, root: string): void {
  if (NEW_WORDS.has(event.action)) return;
  for (const { path } of writes) {
    const branch = pins.newerElsewhere.get(path);
    if (branch !== undefined) throw mergeFirst(root, path, branch, "this would sign the older one again");
  }
}

/** In a rebase it may be the branch that is rebased: what is newer is in a commit that is still to come. */
function mergeFirst(root: string, path: RecordPath, branch: string, reason: string): VaultError {
  return new VaultError(
    "record-rollback",
    `branch ${branch} has a newer one, and ${reason}: .vault/${path}`,
    isRebasing(root)
      ? "give the rebase up, and merge instead: git rebase --abort, then vault-run sync, or git merge and vault-run resolve"
      : `merge that branch first: git merge ${branch}`,
  );
}

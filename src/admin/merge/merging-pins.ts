import { type Machine, stateFolder } from "../../vault/machine.ts";
import type { RecordPath } from "../../vault/paths.ts";
import type { Pin } from "../../vault/pins.ts";
import { recordDigest, signedBytes } from "../../vault/record.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import { readUnverifiedVault } from "../../vault/unverified-vault.ts";
import { VaultError } from "../../vault-error.ts";
import { BranchedPins } from "../branched-pins.ts";
import type { Conflict } from "./sides.ts";

/** For a merge: two versions of a record under one serial are no attack where they are the two sides of a conflict. */
export class MergingPins extends BranchedPins {
  readonly #conflicts: ReadonlyMap<RecordPath, Conflict>;

  constructor(
    machine: Machine,
    root: string,
    files: RecordSource,
    conflicts: ReadonlyMap<RecordPath, Conflict>,
  ) {
    super(stateFolder(machine, readUnverifiedVault(files).id), root);
    this.#conflicts = conflicts;
  }

  override check(path: RecordPath, seen: Pin): void {
    try {
      super.check(path, seen);
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== "record-conflict" || !this.#conflicts.has(path))
        throw error;
    }
  }

  /** Without what the merge is of: there the newer one is looked at, too. */
  override get newerElsewhere(): ReadonlyMap<RecordPath, string> {
    return new Map([...super.newerElsewhere].filter(([path]) => !this.#isMerged(path)));
  }

  #isMerged(path: RecordPath): boolean {
    const conflict = this.#conflicts.get(path);
    if (conflict === undefined) return false;
    const pinned = this.find(path)?.digest;
    return [conflict.ours, conflict.theirs].some((side) => recordDigest(signedBytes(side)) === pinned);
  }
}

import { type Machine, stateFolder } from "../../vault/machine.ts";
import type { RecordPath } from "../../vault/paths.ts";
import type { Pin } from "../../vault/pins.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import { readUnverifiedVault } from "../../vault/unverified-vault.ts";
import { VaultError } from "../../vault-error.ts";
import { BranchedPins } from "../branched-pins.ts";

/** For a merge: two versions of a record under one serial are no attack where they are the two sides of a conflict. */
export class MergingPins extends BranchedPins {
  readonly #conflicts: ReadonlySet<RecordPath>;

  constructor(machine: Machine, root: string, files: RecordSource, conflicts: ReadonlySet<RecordPath>) {
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
}

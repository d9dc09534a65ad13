import type { OwnerAction } from "../audit/event.ts";
import type { RecordPath } from "../vault/paths.ts";
import type { SignedRecord } from "../vault/schema.ts";

/** What an owner operation will write. A plan is made without touching the disk; `apply` carries it out whole. */
export interface Plan {
  readonly action: OwnerAction;
  /** In the order they are to be put in place. */
  readonly writes: readonly PlannedWrite[];
  /** The commit's message. Names only. */
  readonly message: string;
  readonly agent?: string;
  readonly group?: string;
  readonly secrets?: readonly { readonly group: string; readonly name: string; readonly valueId: string }[];
}

export interface PlannedWrite {
  readonly path: RecordPath;
  readonly record: SignedRecord;
}

/** Called as long work advances: `done` of `total` records. */
export type Progress = (done: number, total: number) => void;

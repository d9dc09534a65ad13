import type { OwnerAction } from "../audit/actions.ts";
import type { AuditEvent } from "../audit/event.ts";
import type { RecordPath } from "../vault/paths.ts";
import type { SignedRecord } from "../vault/schema.ts";

/** What an owner operation will write. A plan is made without touching the disk; `applyPlan` carries it out whole. */
export interface Plan {
  /** What the audit log will say of it. */
  readonly event: OwnerEvent;
  /** In the order they are to be put in place. Empty where there is nothing to do: then nothing is written at all. */
  readonly writes: readonly PlannedWrite[];
  /** The commit's message. Names only. */
  readonly message: string;
  /** A key file that belongs to the change: created before it, and gone again where the change is taken back. */
  readonly keyFile?: NewKeyFile;
  /** Gives a new key away that goes to no file: before anything is written, and where it fails nothing is. */
  readonly handOver?: () => Promise<void>;
}

export type OwnerEvent = Pick<AuditEvent, "agent" | "owner" | "group" | "secrets"> & {
  readonly action: OwnerAction;
};

export interface PlannedWrite {
  readonly path: RecordPath;
  readonly record: SignedRecord;
}

export interface NewKeyFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** Called as long work advances: `done` of `total` records. */
export type Progress = (done: number, total: number) => void;

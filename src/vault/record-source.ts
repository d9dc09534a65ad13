import type { RecordPath } from "./paths.ts";

/** Where a vault's records are read from: the work tree's files, or a commit's. */
export interface RecordSource {
  /** The absolute path of the `.vault` folder they are, or would be, in. */
  readonly root: string;
  /** The record's bytes, or undefined where there is none. */
  read(path: RecordPath): Buffer | undefined;
  /** Whether something stands at the path, valid or not. */
  has(path: RecordPath): boolean;
  /** The records in `folder`, in name order. A `.json` file there that no record can be is an error. */
  list(folder: string): RecordPath[];
  /** The folders below `folder`, in name order. */
  listFolders(folder: "agents" | "groups"): string[];
  /** Every file there is, in order, whatever it is. */
  paths(): string[];
}

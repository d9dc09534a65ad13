import { existsSync } from "node:fs";
import { join } from "node:path";
import { holdsRebase } from "./head.ts";
import type { Repository } from "./repository.ts";

/** A path that git could not merge, with the blobs of the versions in play; a side that has none removed the file. */
export interface Unmerged {
  /** Below the work tree's top. */
  readonly path: string;
  readonly base: string | undefined;
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

const STAGES = { "1": "base", "2": "ours", "3": "theirs" } as const;
const OTHER_HEADS = ["MERGE_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];

/** What the index holds unmerged, in path order. */
export async function readUnmerged(repository: Repository): Promise<Unmerged[]> {
  const lines = (await repository.read(["ls-files", "--unmerged", "--full-name", "-z"])).split("\0");
  const found = new Map<string, Record<string, string>>();
  for (const line of lines.filter((text) => text !== "")) {
    // A path may itself hold a tab.
    const tab = line.indexOf("\t");
    const path = line.slice(tab + 1);
    const [, blob = "", stage = ""] = line.slice(0, tab).split(" ");
    const name = STAGES[stage as keyof typeof STAGES];
    found.set(path, { ...found.get(path), [name]: blob });
  }
  return [...found].map(([path, { base, ours, theirs }]) => ({ path, base, ours, theirs }));
}

/** The commit that is being merged, rebased or picked onto HEAD; undefined where nothing is in progress. */
export async function findOtherHead(repository: Repository): Promise<string | undefined> {
  // Where a rebase had stopped, its head is left when it is done.
  const isRebase = holdsRebase(repository.gitFolder);
  const name = OTHER_HEADS.find(
    (head) => existsSync(join(repository.gitFolder, head)) && (head !== "REBASE_HEAD" || isRebase),
  );
  return name === undefined ? undefined : repository.commitOf(name);
}

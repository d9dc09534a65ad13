import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { holdsRebase } from "../../git/head.ts";
import { readTree } from "../../git/history.ts";
import { readUnmerged } from "../../git/merge-state.ts";
import type { Repository } from "../../git/repository.ts";
import { VAULT_PATH } from "../../vault/paths.ts";
import { VaultError } from "../../vault-error.ts";
import type { Resolution } from "../merge/plan-resolve.ts";

export interface Meeting {
  readonly incoming: string;
  /** Where the two histories parted. */
  readonly base: string;
}

/**
 * Brings a verified commit into the current branch: forward where we have nothing of our own, otherwise our commits on top
 * of it; where these conflict, in the vault alone, by a merge that `resolve` finishes. Whatever fails leaves the branch,
 * the index and the files as they were.
 *
 * @returns what was resolved; undefined where nothing had to be.
 */
export async function integrate(
  repository: Repository,
  root: string,
  { incoming, base }: Meeting,
  resolve: () => Promise<Resolution>,
): Promise<Resolution | undefined> {
  if ((await repository.commitOf("HEAD")) === base) {
    await repository.run(["merge", "--quiet", "--ff-only", incoming]);
    return undefined;
  }
  if ((await repository.try(["diff", "--quiet", "HEAD"])) === undefined) {
    throw new VaultError(
      "git-not-ready",
      "there are changes here that are not committed, and commits on both sides",
      "commit or stash them first; nothing here was changed",
    );
  }
  const folder = relative(repository.workTree, root);
  const changes = await readChanges(repository, folder, { incoming, base });
  const isRebasable =
    changes.onBoth.length === 0 && !changes.besideOwners && !(await hasMerges(repository, base));
  if (isRebasable && (await rebased(repository, incoming))) return undefined;
  return mergeAndResolve(repository, folder, incoming, changes, resolve);
}

interface Changes {
  /** Records that both sides changed, from the top of the work tree. */
  readonly onBoth: readonly string[];
  /** Whether we changed any. Where we did not, there is nothing to resolve, and no owner's key is needed. */
  readonly ours: boolean;
  /** Whether we did while vault.json changed. Who the owners were where something was sealed is to be told from history. */
  readonly besideOwners: boolean;
}

async function readChanges(
  repository: Repository,
  folder: string,
  { incoming, base }: Meeting,
): Promise<Changes> {
  const read = async (commit: string) =>
    new Map((await readTree(repository, commit, folder)).map(({ path, blob }) => [path, blob]));
  const [before, ours, theirs] = [await read(base), await read("HEAD"), await read(incoming)];
  const paths = [...new Set([...before.keys(), ...ours.keys(), ...theirs.keys()])];
  const has = (path: string) => [before, ours, theirs].map((of) => of.get(path));
  const isOurs = paths.some((path) => ours.get(path) !== before.get(path));
  return {
    onBoth: paths.filter((path) => new Set(has(path)).size === 3).map((path) => `${folder}/${path}`),
    ours: isOurs,
    besideOwners: isOurs && new Set(has(VAULT_PATH)).size > 1,
  };
}

/** What is in a merge commit alone would be lost in a rebase. */
async function hasMerges(repository: Repository, base: string): Promise<boolean> {
  return (await repository.run(["rev-list", "--max-count=1", "--merges", "HEAD", `^${base}`])) !== "";
}

async function rebased(repository: Repository, incoming: string): Promise<boolean> {
  const own = ["-c", "rebase.updateRefs=false"];
  try {
    await repository.run([...own, "rebase", "--quiet", "--no-autosquash", "--no-autostash", incoming]);
    return true;
  } catch (error) {
    if (!holdsRebase(repository.gitFolder)) throw error;
    await repository.run(["rebase", "--abort"]);
    return false;
  }
}

async function mergeAndResolve(
  repository: Repository,
  folder: string,
  incoming: string,
  { onBoth, ours }: Changes,
  resolve: () => Promise<Resolution>,
): Promise<Resolution | undefined> {
  await beginMerge(repository, incoming);
  try {
    const unmerged = (await readUnmerged(repository)).map(({ path }) => path);
    requireVaultOnly(unmerged, `${folder}/`);
    requireNoneMixed(onBoth, unmerged);
    const resolution = ours ? await resolve() : undefined;
    await repository.run(["commit", "--quiet", "--no-edit"]);
    return resolution;
  } catch (error) {
    await repository.run(["merge", "--abort"]);
    throw error;
  }
}

/** Stops before the commit, and at conflicts. */
async function beginMerge(repository: Repository, incoming: string): Promise<void> {
  try {
    await repository.run(["merge", "--quiet", "--no-ff", "--no-commit", incoming]);
  } catch (error) {
    if (!existsSync(join(repository.gitFolder, "MERGE_HEAD"))) throw error;
  }
}

function requireVaultOnly(unmerged: readonly string[], folder: string): void {
  const other = unmerged.find((path) => !path.startsWith(folder));
  if (other === undefined) return;
  throw new VaultError(
    "git-not-ready",
    `both sides changed a file that is not the vault's: ${other}`,
    "merge by hand (git pull --no-rebase), then vault-run resolve, git commit, and sync again; nothing here was changed",
  );
}

/** A merge driver that the repository's attributes name would mix two records, or keep one without a word. */
function requireNoneMixed(onBoth: readonly string[], unmerged: readonly string[]): void {
  const mixed = onBoth.find((path) => !unmerged.includes(path));
  if (mixed === undefined) return;
  throw new VaultError(
    "git-not-ready",
    `git merged by itself what both sides changed: ${mixed}`,
    `see which driver did (git check-attr merge ${mixed}), and who named it in .gitattributes; nothing here was changed`,
  );
}

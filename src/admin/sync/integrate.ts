import { relative } from "node:path";
import { readUnmerged } from "../../git/merge-state.ts";
import type { Repository } from "../../git/repository.ts";
import { VaultError } from "../../vault-error.ts";
import type { Resolution } from "../merge/plan-resolve.ts";

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
  incoming: string,
  base: string,
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
  if (await rebased(repository, incoming)) return undefined;
  return mergeAndResolve(repository, root, incoming, resolve);
}

async function rebased(repository: Repository, incoming: string): Promise<boolean> {
  if ((await repository.try(["rebase", "--quiet", "--no-autosquash", incoming])) !== undefined) return true;
  await repository.run(["rebase", "--abort"]);
  return false;
}

async function mergeAndResolve(
  repository: Repository,
  root: string,
  incoming: string,
  resolve: () => Promise<Resolution>,
): Promise<Resolution> {
  try {
    await repository.try(["merge", "--quiet", "--no-ff", "--no-commit", incoming]);
    requireVaultOnly(await readUnmerged(repository), `${relative(repository.workTree, root)}/`);
    const resolution = await resolve();
    await repository.run(["commit", "--quiet", "--no-edit"]);
    return resolution;
  } catch (error) {
    await repository.run(["merge", "--abort"]);
    throw error;
  }
}

function requireVaultOnly(unmerged: readonly { readonly path: string }[], folder: string): void {
  const other = unmerged.find(({ path }) => !path.startsWith(folder));
  if (other === undefined) return;
  throw new VaultError(
    "git-not-ready",
    `both sides changed a file that is not the vault's: ${other.path}`,
    "merge by hand (git pull --no-rebase), then vault-run resolve, git commit, and sync again; nothing here was changed",
  );
}

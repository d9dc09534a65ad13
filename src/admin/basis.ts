import type { Head } from "../git/repository.ts";
import { VaultError } from "../vault-error.ts";
import type { Target } from "./apply.ts";
import { WatchedFiles } from "./watched-files.ts";

/** What a plan is made from: where HEAD stood, and every file that was read. */
export interface Basis {
  readonly head: Head;
  readonly watched: WatchedFiles;
}

/** Before anything of the vault is read. */
export async function readBasis({ root, repository }: Target): Promise<Basis> {
  return { head: await repository.readHead(), watched: new WatchedFiles(root) };
}

/** Refuses where git, or anyone, changed what the plan was made from, while it was made or a question was asked. */
export async function requireUnchanged({ head, watched }: Basis, { repository }: Target): Promise<void> {
  const { branch, commit } = await repository.readHead();
  if (branch !== head.branch || commit !== head.commit || !watched.areUnchanged) throw changedMeanwhile();
}

export function changedMeanwhile(): VaultError {
  return new VaultError(
    "git-not-ready",
    "the vault changed meanwhile, by a pull say; nothing was changed by this command",
    "run it again: it begins from what is there now",
  );
}

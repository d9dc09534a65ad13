import { VaultError } from "../vault-error.ts";
import type { Repository } from "./repository.ts";

// A branch and its counterpart in another repository. What is fetched is put under a ref of our own first: nothing that the
// user looks at moves before it was verified, nor one of another work tree's. Remote helpers that run a command of an address's choosing (`ext::`) are off
// in git itself unless the user's own configuration turns them on.

const INCOMING = "refs/worktree/vault-run/incoming";
const NOT_FAST_FORWARD = /\[rejected\]|non-fast-forward|fetch first|stale info|cannot lock ref/i;

export interface Counterpart {
  /** The branch that HEAD is on. */
  readonly branch: string;
  readonly remote: string;
  /** `refs/heads/…` in the other repository. */
  readonly ref: string;
  readonly isUpstream: boolean;
}

/** The branch that the current one follows; where it follows none, the one of its own name at the only remote or `origin`. */
export async function findCounterpart(repository: Repository): Promise<Counterpart> {
  const branch = await repository.try(["symbolic-ref", "--short", "--quiet", "HEAD"]);
  if (branch === undefined) throw notReady("HEAD is on no branch", "switch to one: git switch BRANCH");
  const config = (name: string) => repository.try(["config", "--get", `branch.${branch}.${name}`]);
  const [remote, ref] = [await config("remote"), await config("merge")];
  if (remote !== undefined && ref !== undefined && remote !== ".")
    return plain({ branch, remote, ref, isUpstream: true });
  const only = await findOnlyRemote(repository);
  if (only === undefined) {
    throw notReady(
      `branch ${branch} follows no other repository's`,
      `name one: git remote add origin URL, or git branch --set-upstream-to=REMOTE/BRANCH`,
    );
  }
  return plain({ branch, remote: only, ref: `refs/heads/${branch}`, isUpstream: false });
}

async function listRemotes(repository: Repository): Promise<string[]> {
  const names = ((await repository.try(["remote"])) ?? "").split("\n");
  return names.filter((name) => name !== "" && !name.startsWith("-"));
}

/** `origin`, or the only one there is. */
async function findOnlyRemote(repository: Repository): Promise<string | undefined> {
  const remotes = await listRemotes(repository);
  return remotes.includes("origin") ? "origin" : remotes.length === 1 ? remotes[0] : undefined;
}

/**
 * The remote for what belongs to no branch: the one that is named, or the one of the branch that HEAD is on, if it is on
 * any.
 */
export async function findRemote(repository: Repository, named: string | undefined): Promise<string> {
  const remotes = await listRemotes(repository);
  if (named !== undefined) {
    if (remotes.includes(named)) return named;
    throw notReady(
      `no remote of this name: ${named}`,
      remotes.length === 0 ? "make one: git remote add NAME URL" : `there is: ${remotes.join(" ")}`,
    );
  }
  const branch = await repository.try(["symbolic-ref", "--short", "--quiet", "HEAD"]);
  const followed =
    branch === undefined ? undefined : await repository.try(["config", "--get", `branch.${branch}.remote`]);
  const found =
    followed !== undefined && remotes.includes(followed) ? followed : await findOnlyRemote(repository);
  if (found !== undefined) return found;
  throw notReady(
    remotes.length === 0 ? "this repository has no remote" : "this repository has several remotes",
    remotes.length === 0 ? "make one: git remote add origin URL" : "name one with --remote",
  );
}

/** Nothing that git could take for an option. */
function plain(counterpart: Counterpart): Counterpart {
  if (!counterpart.remote.startsWith("-") && counterpart.ref.startsWith("refs/heads/")) return counterpart;
  throw notReady(
    "the branch follows something that is no branch of a remote",
    "set it anew: git branch --set-upstream-to",
  );
}

/** Fetches the counterpart's commit; undefined where it has none yet. No ref or file of the user's moves. */
export async function fetchCounterpart(
  repository: Repository,
  { remote, ref }: Counterpart,
): Promise<string | undefined> {
  try {
    await repository.run(["fetch", "--quiet", "--no-tags", "--refmap=", remote, `+${ref}:${INCOMING}`]);
  } catch (error) {
    // Asked for, and not read from what git said: that may be in any language.
    if ((await repository.try(["ls-remote", "--", remote, ref])) === "") return undefined;
    throw error;
  }
  return repository.commitOf(INCOMING);
}

export async function forgetIncoming(repository: Repository): Promise<void> {
  await repository.try(["update-ref", "-d", INCOMING]);
}

/** Moves the user's remote-tracking branch to what was accepted. */
export async function trackCounterpart(
  repository: Repository,
  { remote, ref }: Counterpart,
  commit: string,
): Promise<void> {
  await repository.try(["update-ref", `refs/remotes/${remote}/${ref.slice("refs/heads/".length)}`, commit]);
}

/** Pushes HEAD, never over anything. False where something else was pushed meanwhile. */
export async function pushTo(
  repository: Repository,
  { remote, ref, isUpstream }: Counterpart,
): Promise<boolean> {
  const follow = isUpstream ? [] : ["--set-upstream"];
  try {
    await repository.run(["push", "--quiet", ...follow, remote, `HEAD:${ref}`]);
    return true;
  } catch (error) {
    if (NOT_FAST_FORWARD.test(reasonOf(error))) return false;
    throw error;
  }
}

/** All that git said. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error ? cause.message : "";
}

function notReady(message: string, hint: string): VaultError {
  return new VaultError("git-not-ready", message, hint);
}

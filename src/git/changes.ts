import { VaultError } from "../vault-error.ts";
import { findTop } from "./head.ts";
import { findGitText, gitOutput, gitText, splitAtNul } from "./stream.ts";

// What commits bring, and what the next one would: paths with the blobs that are, or are to be, under them.

export interface ChangedBlob {
  readonly kind: "blob";
  /** Below the work tree's top. */
  readonly path: string;
  readonly blob: string;
  /** The commit that brought it; undefined for what is staged. */
  readonly commit?: string;
}

export interface CommitMessage {
  readonly kind: "message";
  readonly commit: string;
  /** As git shows it: in UTF-8, and not beyond a NUL. */
  readonly message: string;
}

const SUBMODULE = "160000";
const NOTHING = /^0+$/;
const ID = /^\^?[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const RAW = ["--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none"];
/** Of a user's settings, those that would leave commits out or put lines between. */
const OWN = ["--root", "--no-show-signature", "--no-follow", "--no-notes", "--no-color", "--encoding=UTF-8"];

/** What is staged and differs from the last commit, whatever the work tree holds. */
export async function readStaged(folder: string): Promise<ChangedBlob[]> {
  const head = await findGitText(folder, ["rev-parse", "--quiet", "--verify", "HEAD^{tree}"]);
  const base = head ?? (await gitText(folder, ["hash-object", "-t", "tree", "--stdin"])).trim();
  const tokens = splitAtNul(gitOutput(folder, ["diff-index", "--cached", "-r", ...RAW, base, "--"]));
  const found: ChangedBlob[] = [];
  for await (const entry of tokens) {
    const { value: path = "" } = await tokens.next();
    const blob = blobOf(entry);
    if (blob !== undefined) found.push({ kind: "blob", path, blob });
  }
  return found;
}

/**
 * Messages and blobs of commits, oldest first; of a merge what none of its parents has.
 *
 * @param revisions commit ids, `^` before those whose history is left out, or git's `--all`, `--not` and the like.
 */
export async function* readCommits(
  folder: string,
  revisions: readonly string[],
): AsyncGenerator<ChangedBlob | CommitMessage> {
  const args = ["log", "--reverse", "-c", "--full-history", ...RAW, ...OWN, "--format=tformat:%H%x09%B"];
  const { words, input } = asked(revisions);
  yield* commitsIn(gitOutput(folder, [...args, ...words, "--"], input));
}

/** Ids are told on standard input: a push of many refs has more of them than an argument vector takes. */
function asked(revisions: readonly string[]): { readonly words: readonly string[]; readonly input: string } {
  const ids = revisions.filter((revision) => ID.test(revision));
  const words = revisions.filter((revision) => !ID.test(revision));
  // First: what `--not` stands before is left out.
  return { words: ids.length === 0 ? words : ["--stdin", ...words], input: `${ids.join("\n")}\n` };
}

/** What `git log` prints of commits, by the options of `readCommits`. */
export async function* commitsIn(output: AsyncIterable<Buffer>): AsyncGenerator<ChangedBlob | CommitMessage> {
  const tokens = splitAtNul(output);
  let commit = "";
  for await (const token of tokens) {
    const text = token.replace(/^\n/, "");
    if (text === "") continue;
    if (!text.startsWith(":")) {
      const tab = text.indexOf("\t");
      commit = text.slice(0, tab);
      yield { kind: "message", commit, message: text.slice(tab + 1) };
      continue;
    }
    const { value: path = "" } = await tokens.next();
    const blob = blobOf(text);
    if (blob !== undefined) yield { kind: "blob", path, blob, commit };
  }
}

export async function countCommits(folder: string, revisions: readonly string[]): Promise<number> {
  const { words, input } = asked(revisions);
  return Number((await gitText(folder, ["rev-list", "--count", ...words, "--"], input)).trim());
}

/** The blob that one line of raw output leads to: `:MODE MODE ID ID STATUS`, with a colon, mode and id for each parent. */
function blobOf(entry: string): string | undefined {
  const parents = /^:+/.exec(entry)?.[0].length ?? 1;
  const fields = entry.slice(parents).split(" ");
  const mode = fields[parents] ?? "";
  const blob = fields[2 * parents + 1] ?? "";
  return mode === SUBMODULE || NOTHING.test(mode) || NOTHING.test(blob) ? undefined : blob;
}

export interface GitPlace {
  /** Where git runs: the work tree's top, or a repository that has none. */
  readonly folder: string;
  readonly isBare: boolean;
}

/**
 * The repository that a folder is in, or is. Undefined where it is in none. A folder inside of a work tree is none itself: it
 * may have been committed to look like one.
 *
 * @param env may say which repository is meant, as it does in a hook.
 */
export async function findGitPlace(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<GitPlace | undefined> {
  const from = (env.GIT_DIR === undefined ? findTop(folder) : undefined) ?? folder;
  const top = await findGitText(from, ["rev-parse", "--show-toplevel"]);
  if (top !== undefined && top !== "") return { folder: top, isBare: false };
  const gitFolder = await findGitText(from, ["rev-parse", "--absolute-git-dir"]);
  return gitFolder === undefined ? undefined : { folder: gitFolder, isBare: true };
}

/** The id of the commit that a revision names. */
export async function commitIdOf(folder: string, revision: string): Promise<string> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const id = await findGitText(folder, args);
  if (id !== undefined && id !== "") return id;
  throw new VaultError(
    "git-failed",
    `no such commit here: ${revision}`,
    "name a branch, tag or commit of this repository; a shallow clone may lack it: git fetch --unshallow",
  );
}

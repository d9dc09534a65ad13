import type { Repository } from "./repository.ts";

// What git's history holds of some paths. Version for version with the commit that made it: a merge counts where it
// differs from all its parents.

export interface Version {
  readonly commit: string;
  /** When the commit was authored, RFC 3339, as the commit claims. */
  readonly at: string;
  /** As the commit claims. */
  readonly author: string;
  /** Below the work tree's top. */
  readonly path: string;
  /** The blob's id; undefined where the commit removed the path. */
  readonly blob: string | undefined;
}

const PLAIN_MODES = new Set(["100644", "100755"]);
const NOTHING = /^0+$/;

/**
 * Every version of paths in the history of `commits`, newest first. What a merge brought in counts as newer than what its
 * first parent had, whenever it was made: so the order of what is there stays as it is when history grows.
 *
 * @param pathspecs git's own; made of parsed names only.
 * @param commits commit ids, or HEAD.
 */
export async function readHistory(
  repository: Pick<Repository, "read">,
  commits: readonly string[],
  pathspecs: readonly string[],
): Promise<Version[]> {
  // Of a user's settings, three would leave the first commit out, put lines between, or make git give up.
  const own = ["--root", "--no-show-signature", "--no-follow"];
  const options = ["-c", "--full-history", "--parents", "--raw", "-z", "--no-renames", "--no-abbrev", ...own];
  const format = "--format=tformat:%H%x09%P%x09%aI%x09%an";
  const text = await repository.read([
    "log",
    ...options,
    format,
    "--end-of-options",
    ...commits,
    "--",
    ...pathspecs,
  ]);
  return inGrowingOrder(parseLog(text));
}

interface Commit {
  readonly id: string;
  /** Those before it that touched the paths. */
  readonly parents: readonly string[];
  readonly versions: Version[];
}

function parseLog(text: string): Commit[] {
  const commits: Commit[] = [];
  const tokens = text.split("\0").map((token) => token.replace(/^\n/, ""));
  let [at, author] = ["", ""];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? "";
    if (token === "") continue;
    const commit = commits.at(-1);
    if (commit === undefined || !token.startsWith(":")) {
      const [id = "", parents = "", ...rest] = token.split("\t");
      [at = "", author = ""] = rest;
      commits.push({ id, parents: parents.split(" ").filter((parent) => parent !== ""), versions: [] });
      continue;
    }
    const parents = /^:+/.exec(token)?.[0].length ?? 1;
    const fields = token.slice(parents).split(" ");
    const blob = fields[2 * parents + 1] ?? "";
    const isPlain = PLAIN_MODES.has(fields[parents] ?? "");
    commit.versions.push({
      commit: commit.id,
      at,
      author,
      path: tokens[++i] ?? "",
      blob: isPlain && !NOTHING.test(blob) ? blob : undefined,
    });
  }
  return commits;
}

/** Oldest first, all that the first parent reaches, then what the next one adds, then the commit; turned round at the end. */
function inGrowingOrder(commits: readonly Commit[]): Version[] {
  const left = new Map(commits.map((commit) => [commit.id, commit]));
  const parents = new Set(commits.flatMap((commit) => commit.parents));
  const ordered: Commit[] = [];
  const path: { commit: Commit; parents: string[] }[] = [];
  const enter = (id: string) => {
    const commit = left.get(id);
    left.delete(id);
    if (commit !== undefined) path.push({ commit, parents: commit.parents.toReversed() });
  };
  for (const tip of commits.filter((commit) => !parents.has(commit.id))) {
    enter(tip.id);
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const parent = last.parents.pop();
      if (parent !== undefined) enter(parent);
      else ordered.push(...path.splice(-1).map(({ commit }) => commit));
    }
  }
  return ordered.reverse().flatMap((commit) => commit.versions);
}

export interface TreeFile {
  /** Below the folder that was asked for. */
  readonly path: string;
  /** The blob's id; undefined for a link or a submodule. */
  readonly blob: string | undefined;
}

/**
 * The files in a commit's folder, all depths.
 *
 * @param folder below the work tree's top, without a slash at its end.
 */
export async function readTree(repository: Repository, commit: string, folder: string): Promise<TreeFile[]> {
  const args = [
    "--literal-pathspecs",
    "ls-tree",
    "-r",
    "-z",
    "--full-tree",
    "--end-of-options",
    commit,
    "--",
    `${folder}/`,
  ];
  const lines = (await repository.read(args)).split("\0").filter((line) => line !== "");
  return lines.map((line) => {
    // A path may itself hold a tab.
    const tab = line.indexOf("\t");
    const path = line.slice(tab + 1);
    const [mode = "", , blob] = line.slice(0, tab).split(" ");
    return { path: path.slice(folder.length + 1), blob: PLAIN_MODES.has(mode) ? blob : undefined };
  });
}

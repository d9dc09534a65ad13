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
 * Every version of paths in the history of `commits`, newest first.
 *
 * @param pathspecs git's own; made of parsed names only.
 * @param commits commit ids, or HEAD.
 */
export async function readHistory(
  repository: Repository,
  commits: readonly string[],
  pathspecs: readonly string[],
): Promise<Version[]> {
  const options = ["-c", "--full-history", "--raw", "-z", "--no-renames", "--no-abbrev"];
  const format = "--format=tformat:%H%x09%aI%x09%an";
  const text = await repository.read([
    "log",
    ...options,
    format,
    "--end-of-options",
    ...commits,
    "--",
    ...pathspecs,
  ]);
  return parseLog(text);
}

function parseLog(text: string): Version[] {
  const versions: Version[] = [];
  const tokens = text.split("\0").map((token) => token.replace(/^\n/, ""));
  let [commit, at, author] = ["", "", ""];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? "";
    if (token === "") continue;
    if (!token.startsWith(":")) {
      [commit = "", at = "", author = ""] = token.split("\t");
      continue;
    }
    const parents = /^:+/.exec(token)?.[0].length ?? 1;
    const fields = token.slice(parents).split(" ");
    const blob = fields[2 * parents + 1] ?? "";
    const isPlain = PLAIN_MODES.has(fields[parents] ?? "");
    versions.push({
      commit,
      at,
      author,
      path: tokens[++i] ?? "",
      blob: isPlain && !NOTHING.test(blob) ? blob : undefined,
    });
  }
  return versions;
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
    const [meta = "", path = ""] = line.split("\t");
    const [mode = "", , blob] = meta.split(" ");
    return { path: path.slice(folder.length + 1), blob: PLAIN_MODES.has(mode) ? blob : undefined };
  });
}

import { lstatSync, readFileSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

// The work tree that a folder is in, and the commit that it stands at, read from `.git` as files: between start and spawn no
// git process runs.

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const MAX_SYMREF_DEPTH = 5;

/** The commit that HEAD names, or undefined: no repository, an unborn branch, or refs in a form not read here. */
export function findHeadCommit(folder: string): string | undefined {
  const found = findGitFolder(folder);
  if (found === undefined) return undefined;
  const { gitFolder, commonFolder } = found;
  let content = readText(`${gitFolder}/HEAD`)?.trim();
  for (let depth = 0; depth < MAX_SYMREF_DEPTH && content !== undefined; depth++) {
    if (COMMIT.test(content)) return content;
    const ref = /^ref: (refs\/[^\s]+)$/.exec(content)?.[1];
    if (ref === undefined || ref.split("/").includes("..")) return undefined;
    content =
      readText(`${gitFolder}/${ref}`)?.trim() ??
      readText(`${commonFolder}/${ref}`)?.trim() ??
      findPacked(commonFolder, ref);
  }
  return undefined;
}

/**
 * Whether a change to the vault in this folder is half made: its journal is there (docs/FORMAT.md, section 10.4). In the git
 * folder, where nobody puts one who can only push.
 */
export function hasChangeUnderWay(folder: string): boolean {
  const found = findGitFolder(folder);
  return found !== undefined && findStats(`${found.gitFolder}/vault-run/journal.json`) !== undefined;
}

/** Whether a rebase has stopped in the work tree of this folder. */
export function isRebasing(folder: string): boolean {
  const found = findGitFolder(folder);
  return found !== undefined && holdsRebase(found.gitFolder);
}

/** The same for who knows the git folder. */
export function holdsRebase(gitFolder: string): boolean {
  return ["rebase-merge", "rebase-apply"].some((name) => findStats(`${gitFolder}/${name}`) !== undefined);
}

interface GitFolders {
  readonly gitFolder: string;
  /** What work trees of one repository share. */
  readonly commonFolder: string;
}

/** The top of the work tree that holds a folder: where `.git` stands. Undefined where none does. */
export function findTop(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const stat = findStats(`${at}/.git`);
    if (stat?.isDirectory() === true || stat?.isFile() === true) return at;
    if (dirname(at) === at) return undefined;
  }
}

function findGitFolder(folder: string): GitFolders | undefined {
  const top = findTop(folder);
  if (top === undefined) return undefined;
  const git = `${top}/.git`;
  if (findStats(git)?.isDirectory() === true) return { gitFolder: git, commonFolder: git };
  const target = /^gitdir: (.+)$/m.exec(readText(git) ?? "")?.[1];
  if (target === undefined) return undefined;
  const gitFolder = resolve(top, target);
  return {
    gitFolder,
    commonFolder: resolve(gitFolder, readText(`${gitFolder}/commondir`)?.trim() ?? ""),
  };
}

/** What may not be looked at, by node's own permissions for one, is as good as not there. */
function findStats(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function findPacked(commonFolder: string, ref: string): string | undefined {
  const lines = readText(`${commonFolder}/packed-refs`)?.split("\n") ?? [];
  return lines.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

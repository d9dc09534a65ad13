import { lstatSync, readFileSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

// The commit a work tree stands at, read from `.git` as files: between start and spawn no git process runs.

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

interface GitFolders {
  readonly gitFolder: string;
  /** What work trees of one repository share. */
  readonly commonFolder: string;
}

function findGitFolder(folder: string): GitFolders | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const git = `${at}/.git`;
    const stat = findStats(git);
    if (stat?.isDirectory() === true) return { gitFolder: git, commonFolder: git };
    if (stat?.isFile() === true) {
      const target = /^gitdir: (.+)$/m.exec(readText(git) ?? "")?.[1];
      if (target === undefined) return undefined;
      const gitFolder = resolve(at, target);
      return {
        gitFolder,
        commonFolder: resolve(gitFolder, readText(`${gitFolder}/commondir`)?.trim() ?? ""),
      };
    }
    if (dirname(at) === at) return undefined;
  }
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

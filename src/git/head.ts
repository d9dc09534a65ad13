import { lstatSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

// The commit a work tree stands at, read from `.git` as files: between start and spawn no git process runs.

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const MAX_SYMREF_DEPTH = 5;

/** The commit that HEAD names, or undefined: no repository, an unborn branch, or refs in a form not read here. */
export function findHeadCommit(folder: string): string | undefined {
  const gitFolder = findGitFolder(folder);
  if (gitFolder === undefined) return undefined;
  const common = readText(join(gitFolder, "commondir"))?.trim();
  const commonFolder = common === undefined ? gitFolder : resolve(gitFolder, common);
  let content = readText(join(gitFolder, "HEAD"))?.trim();
  for (let depth = 0; depth < MAX_SYMREF_DEPTH && content !== undefined; depth++) {
    if (COMMIT.test(content)) return content;
    const ref = /^ref: (refs\/[^\s]+)$/.exec(content)?.[1];
    if (ref === undefined || ref.split("/").includes("..")) return undefined;
    content =
      readText(join(gitFolder, ref))?.trim() ??
      readText(join(commonFolder, ref))?.trim() ??
      findPacked(commonFolder, ref);
  }
  return undefined;
}

function findGitFolder(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const git = join(at, ".git");
    const stat = lstatSync(git, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return git;
    if (stat?.isFile() === true) {
      const target = /^gitdir: (.+)$/m.exec(readText(git) ?? "")?.[1];
      return target === undefined ? undefined : resolve(at, target);
    }
    if (dirname(at) === at) return undefined;
  }
}

function findPacked(commonFolder: string, ref: string): string | undefined {
  const lines = readText(join(commonFolder, "packed-refs"))?.split("\n") ?? [];
  return lines.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

import { spawnSync } from "node:child_process";

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A local branch's version of a file. */
export interface OnBranch {
  readonly branch: string;
  readonly bytes: Buffer;
}

/**
 * A file as the tips of the local branches have it that are not checked out here. Synchronous, for the one moment in which a reader would otherwise refuse.
 *
 * @param folder any folder of the work tree.
 * @param path below `folder`, of parsed names.
 * @returns nothing where there is no repository.
 */
export function findOnBranches(folder: string, path: string): OnBranch[] {
  const branches = run(folder, ["for-each-ref", "--format=%(HEAD)%(refname:lstrip=2)", "refs/heads/"])
    .toString("utf8")
    .split("\n")
    .filter((line) => line.startsWith(" "))
    .map((line) => line.slice(1));
  const found: OnBranch[] = [];
  for (const branch of branches) {
    const bytes = blobOf(run(folder, ["cat-file", "--batch"], `refs/heads/${branch}:./${path}\n`));
    if (bytes !== undefined) found.push({ branch, bytes });
  }
  return found;
}

/** By node's own call: every owner's verb loads this file, and execa would take it longer than all else. */
function run(folder: string, args: string[], input = ""): Buffer {
  return spawnSync("git", ["--no-replace-objects", ...args], {
    cwd: folder,
    input,
    maxBuffer: MAX_OUTPUT_BYTES,
  }).stdout;
}

/** What `git cat-file --batch` answered to one name: a head line, and the bytes that it counts. */
function blobOf(answer: Buffer): Buffer | undefined {
  const head = answer.subarray(0, answer.indexOf("\n")).toString("utf8");
  const size = /^\S+ blob (\d+)$/.exec(head)?.[1];
  return size === undefined ? undefined : answer.subarray(head.length + 1, head.length + 1 + Number(size));
}

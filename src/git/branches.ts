import { spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import { NO_MONITOR, NO_PLANTED_REPOSITORY } from "./guards.ts";
import { findTop } from "./head.ts";

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** A local branch's version of a file. */
export interface OnBranch {
  readonly branch: string;
  readonly bytes: Buffer;
}

/** The local branches that are not checked out here; none where there is no repository, or no git. */
export function otherBranches(folder: string): string[] {
  const answer = run(folder, ["for-each-ref", "--format=%(HEAD)%(refname:lstrip=2)", "refs/heads/"]);
  return (answer ?? Buffer.alloc(0))
    .toString("utf8")
    .split("\n")
    .filter((line) => line.startsWith(" "))
    .map((line) => line.slice(1));
}

/**
 * A file as the tips of these branches have it, one git process for all of them. Synchronous, for the one moment in which a
 * reader would otherwise refuse.
 *
 * @param folder any folder of the work tree.
 * @param path below `folder`, of parsed names.
 */
export function findOnBranches(folder: string, branches: readonly string[], path: string): OnBranch[] {
  const top = findTop(folder);
  if (branches.length === 0 || top === undefined) return [];
  const own = join(relative(top, folder), path);
  // git reads a name to the end of its line.
  if (own.includes("\n")) return [];
  const names = branches.map((branch) => `refs/heads/${branch}:${own}\n`);
  return versionsIn(run(folder, ["cat-file", "--batch"], names.join("")) ?? Buffer.alloc(0), branches);
}

/** The blobs in the answers of `git cat-file --batch`, one for each branch. */
export function versionsIn(answers: Buffer, branches: readonly string[]): OnBranch[] {
  let answer = answers;
  const found: OnBranch[] = [];
  for (const branch of branches) {
    const headLength = answer.indexOf(LINE_FEED) + 1;
    const [, type, size] = /^\S+ (\w+) (\d+)\n$/.exec(answer.toString("utf8", 0, headLength)) ?? [];
    // What is not there has a head line alone.
    const end = size === undefined ? headLength : headLength + Number(size);
    if (type === "blob") found.push({ branch, bytes: answer.subarray(headLength, end) });
    answer = answer.subarray(size === undefined ? end : end + 1);
  }
  return found;
}

/**
 * Whether the history of `HEAD` has, or had, this very content at a path. So it is taken to where that cannot be known: in a
 * shallow clone, or where git fails.
 *
 * @param folder any folder of the work tree.
 * @param path below `folder`, of parsed names.
 */
export function isInHistory(folder: string, path: string, bytes: Buffer): boolean {
  const top = findTop(folder);
  const isWhole = run(folder, ["rev-parse", "--is-shallow-repository"])?.toString("utf8") === "false\n";
  const blob = run(folder, ["hash-object", "--stdin", "--no-filters"], bytes)?.toString("utf8").trim();
  if (top === undefined || !isWhole || blob === undefined) return true;
  const own = join(relative(top, folder), path);
  const look = [
    "log",
    "-1",
    "--format=%H",
    "--full-history",
    "-m",
    `--find-object=${blob}`,
    "HEAD",
    "--",
    own,
  ];
  return run(folder, ["--literal-pathspecs", ...look])?.length !== 0;
}

/**
 * By node's own call: every owner's verb loads this file, and execa would take it longer than all else.
 *
 * @returns undefined where git is missing or fails: no branch has what is looked for then, and the reader refuses.
 */
function run(folder: string, args: string[], input: string | Buffer = ""): Buffer | undefined {
  const top = findTop(folder);
  if (top === undefined) return undefined;
  const settings = ["--no-replace-objects", "-c", NO_MONITOR, "-c", NO_PLANTED_REPOSITORY];
  // Whichever one the environment names, in a hook of another repository.
  const here = [`--git-dir=${top}/.git`, `--work-tree=${top}`];
  const { status, stdout } = spawnSync("git", [...here, ...settings, ...args], {
    cwd: top,
    input,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return status === 0 ? stdout : undefined;
}

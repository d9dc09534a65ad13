import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { GitError, type SimpleGit } from "simple-git";
import { systemCode, VaultError } from "../vault-error.ts";
import { requireAsTheyAre } from "./attributes.ts";
import { client, DURABLE, gitFailure } from "./client.ts";
import { ONLY_READING } from "./guards.ts";
import { findTop } from "./head.ts";
import { KeptIndex } from "./kept-index.ts";
import { Plumbing } from "./plumbing.ts";

// The owner's git, driven with fixed argument lists: paths go to git through a file of NUL-ended literal pathspecs, and
// nothing from a record or a user stands in an option's place. Launches never come here (see head.ts).

export interface Head {
  /** The full name of the branch; null where HEAD is detached. */
  readonly branch: string | null;
  /** Null before the first commit. */
  readonly commit: string | null;
}

export class Repository {
  /** The work tree's top folder, absolute. */
  readonly workTree: string;
  /** This work tree's own git folder, absolute. */
  readonly gitFolder: string;
  readonly #git: SimpleGit;

  private constructor(workTree: string, gitFolder: string, git: SimpleGit) {
    this.workTree = workTree;
    this.gitFolder = gitFolder;
    this.#git = git;
  }

  /** The repository whose work tree holds `folder`. */
  static async find(folder: string): Promise<Repository> {
    // Not trimmed: a folder's name can end in a space.
    const git = client(findTop(resolve(folder)) ?? folder, false);
    const [workTree, gitFolder] = await Promise.all([
      revParse(git, "--show-toplevel", folder),
      revParse(git, "--absolute-git-dir", folder),
    ]);
    return new Repository(workTree, gitFolder, client(workTree));
  }

  /** Refuses, before anything is written, where a commit could not be made or would be lost. */
  async requireCommittable(): Promise<void> {
    for (const [marker, what] of UNFINISHED) {
      if (!existsSync(join(this.gitFolder, marker))) continue;
      throw notReady(
        `${what} is in progress here`,
        "finish or abort it first; where the vault itself conflicts: vault-run resolve",
      );
    }
    if ((await this.try(["symbolic-ref", "--quiet", "HEAD"])) === undefined) {
      throw notReady(
        "HEAD is detached, so a commit would belong to no branch",
        "switch to one first (git switch BRANCH), or pass --no-commit and commit yourself",
      );
    }
    if ((await this.try(["var", "GIT_AUTHOR_IDENT"])) === undefined) {
      throw notReady(
        "git does not know who you are",
        "tell it: git config user.name NAME and git config user.email ADDRESS",
      );
    }
  }

  /**
   * Commits exactly `paths` (absolute) as they stand in the work tree; what was staged besides stays staged. On failure
   * the index has at these paths what it had before. Refuses where git would commit other bytes than stand there, and takes the
   * commit back where a hook put in others, or other paths.
   *
   * @returns the new commit's short id, or undefined where the paths hold nothing new.
   */
  async commit(
    paths: readonly string[],
    message: string,
    scratchFolder: string,
  ): Promise<string | undefined> {
    await requireAsTheyAre(this, paths);
    const own = paths.map((path) => relative(this.workTree, path));
    const list = join(scratchFolder, "pathspecs");
    const before = await this.#head();
    const index = new KeptIndex(this, scratchFolder);
    try {
      if (!(await this.#commitOnly(own, message, { list, before, index }))) return undefined;
      const made = (await this.#head()) ?? "HEAD";
      // Where that cannot be asked, the commit stands: it is made.
      const altered = await this.#findAltered(own, made, before, index).catch(() => undefined);
      if (altered !== undefined) {
        await this.#unmake(made, before);
        throw await index.restoreAfter(alteredByHook(altered), own);
      }
    } finally {
      // Who has the lock next removes what this leaves: a failure here must not undo a commit that is made.
      quietly(() => index.forget());
      quietly(() => rmSync(list, { force: true }));
    }
    return this.try(["rev-parse", "--short", "HEAD"]);
  }

  /** Whether a commit was made: there is none where the paths hold nothing new. */
  async #commitOnly(
    own: readonly string[],
    message: string,
    { list, before, index }: { list: string; before: string | undefined; index: KeptIndex },
  ): Promise<boolean> {
    try {
      const fromFile = await this.#add(own, list, DURABLE);
      index.markAdded();
      if (!(await this.#differsFromHead(own))) return false;
      await this.run([
        ...DURABLE,
        "--literal-pathspecs",
        "commit",
        "--quiet",
        "--only",
        "--message",
        message,
        ...fromFile,
      ]);
    } catch (error) {
      // git can fail after it made the commit, when it writes the index: then the change stands.
      if ((await this.#head()) === before || (await this.#differsInWorkTree(own))) {
        throw await index.restoreAfter(error, own);
      }
    }
    return true;
  }

  /**
   * A path that the new commit has and was not given, or with other bytes than were added: a hook that formats files puts in
   * what it made of them. Not asked of a commit that others have made another of meanwhile.
   */
  async #findAltered(
    own: readonly string[],
    made: string,
    before: string | undefined,
    index: KeptIndex,
  ): Promise<string | undefined> {
    const names = ["--no-commit-id", "--name-only", "-z", "--no-renames"];
    const [parent, committed, differing] = await Promise.all([
      this.try(["rev-parse", "--quiet", "--verify", `${made}^`]),
      this.read(["diff-tree", "--root", "-r", ...names, made]),
      index.findOtherIn(made),
    ]);
    if (parent !== before) return undefined;
    const given = new Set(own);
    const foreign = committed.split("\0").find((path) => path !== "" && !given.has(path));
    return foreign ?? own.find((path) => differing.has(path));
  }

  /** Puts the branch back to where it stood before a commit, unless it has moved on since. */
  async #unmake(made: string, before: string | undefined): Promise<void> {
    const update = ["update-ref", "-m", "vault-run: a commit taken back"];
    await this.run(
      before === undefined ? [...update, "-d", "HEAD", made] : [...update, "HEAD", before, made],
    );
  }

  /** Stages `paths` (absolute) as they stand in the work tree, which also ends their conflicts. */
  async stage(paths: readonly string[], scratchFolder: string): Promise<void> {
    const list = join(scratchFolder, "pathspecs");
    const own = paths.map((path) => relative(this.workTree, path));
    try {
      await this.#add(own, list);
    } finally {
      rmSync(list, { force: true });
    }
  }

  /** Stages paths. Returns git's options that name them, by way of a file. */
  async #add(own: readonly string[], list: string, settings: readonly string[] = []): Promise<string[]> {
    await this.#lookAgainAt(own);
    writeFileSync(list, own.map((path) => `${path}\0`).join(""));
    const fromFile = [`--pathspec-from-file=${list}`, "--pathspec-file-nul"];
    await this.run([...settings, "--literal-pathspecs", "add", "--force", ...fromFile]);
    return fromFile;
  }

  /** What git was told to take for unchanged, by hand or by core.ignoreStat, it would neither add nor miss. */
  async #lookAgainAt(own: readonly string[]): Promise<void> {
    const folder = own.map(dirname).reduce((above, path) => commonFolder(above, path));
    const listed = await this.read(["--literal-pathspecs", "ls-files", "-v", "-z", "--", folder]);
    // In `TAG PATH` the tag is in lower case then.
    const assumed = new Set(
      listed.split("\0").flatMap((line) => (/^[a-z] /.test(line) ? [line.slice(2)] : [])),
    );
    const input = own
      .filter((path) => assumed.has(path))
      .map((path) => `${path}\0`)
      .join("");
    if (input === "") return;
    await Plumbing.forReading(this).run(["update-index", "--no-assume-unchanged", "-z", "--stdin"], {
      input,
    });
  }

  /** The files of a folder (below the work tree's top) that differ from the last commit or are not in it. */
  async changedFiles(folder: string): Promise<string[]> {
    const args = [
      "--literal-pathspecs",
      "status",
      "--porcelain",
      "-z",
      "--no-renames",
      "--untracked-files=all",
      "--",
      folder,
    ];
    return (await this.read(args))
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => line.slice(3));
  }

  /** Whether the history here was cut off (`git clone --depth`). */
  async isShallow(): Promise<boolean> {
    return (await this.read(["rev-parse", "--is-shallow-repository"])).trim() === "true";
  }

  /** Where HEAD stands. */
  async readHead(): Promise<Head> {
    const [branch, commit] = await Promise.all([this.try(["symbolic-ref", "--quiet", "HEAD"]), this.#head()]);
    return { branch: branch ?? null, commit: commit ?? null };
  }

  /** Whether anything was committed on this branch. */
  async hasHead(): Promise<boolean> {
    return (await this.#head()) !== undefined;
  }

  /** The id of the commit that a revision names. */
  async commitOf(revision: string): Promise<string> {
    const id = await this.try([
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${revision}^{commit}`,
    ]);
    if (id !== undefined && id !== "") return id;
    throw new VaultError(
      "git-failed",
      `no such commit here: ${revision}`,
      "name a branch, tag or commit of this repository; a shallow clone may lack it: git fetch --unshallow",
    );
  }

  /** Whether git tracks the file at a path (absolute). */
  async tracks(path: string): Promise<boolean> {
    const own = relative(this.workTree, path);
    return (await this.try(["--literal-pathspecs", "ls-files", "--error-unmatch", "--", own])) !== undefined;
  }

  /** Whether a file at a path (absolute) would go into a commit by `git add .`: it is in the work tree, and not ignored. */
  async wouldAdd(path: string): Promise<boolean> {
    const own = relative(this.workTree, path);
    if (own === "" || own.startsWith("..")) return false;
    return (await this.try(["check-ignore", "--quiet", "--", own])) === undefined;
  }

  /** What a git command that only reads prints, byte for byte. Its arguments are fixed or made of parsed names. */
  async read(args: string[]): Promise<string> {
    try {
      return await client(this.workTree, false).raw([ONLY_READING, ...args]);
    } catch (error) {
      throw gitFailure(error, args);
    }
  }

  #head(): Promise<string | undefined> {
    return this.try(["rev-parse", "--quiet", "--verify", "HEAD"]);
  }

  async #differsInWorkTree(own: readonly string[]): Promise<boolean> {
    return (await this.try(["--literal-pathspecs", "diff", "--quiet", "HEAD", "--", ...own])) === undefined;
  }

  async #differsFromHead(paths: readonly string[]): Promise<boolean> {
    // Not trimmed: a name can begin with a space.
    const staged = await this.read(["diff", "--cached", "--name-only", "-z", "--no-renames"]);
    const names = new Set(staged.split("\0"));
    return paths.some((path) => names.has(path));
  }

  /** Runs a git command; its output, trimmed. @throws {VaultError} `git-failed` */
  async run(args: string[]): Promise<string> {
    try {
      return await this.#git.raw(args);
    } catch (error) {
      throw gitFailure(error, args);
    }
  }

  /** The same for a command whose failure is an answer: then undefined. */
  async try(args: string[]): Promise<string | undefined> {
    try {
      return await this.#git.raw(args);
    } catch (error) {
      if (error instanceof GitError) return undefined;
      throw gitFailure(error, args);
    }
  }
}

function commonFolder(a: string, b: string): string {
  return a === "." || a === b || b.startsWith(`${a}/`) ? a : commonFolder(dirname(a), b);
}

function quietly(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // Not removable.
  }
}

const UNFINISHED = [
  ["MERGE_HEAD", "a merge"],
  ["CHERRY_PICK_HEAD", "a cherry-pick"],
  ["REVERT_HEAD", "a revert"],
  ["rebase-merge", "a rebase"],
  ["rebase-apply", "a rebase"],
] as const;

async function revParse(git: SimpleGit, what: string, folder: string): Promise<string> {
  let answer: string;
  try {
    answer = (await git.raw(["rev-parse", what])).replace(/\n$/, "");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || (error instanceof Error && error.message.includes("ENOENT"))) {
      throw new VaultError(
        "git-missing",
        "git was not found",
        "install git 2.25 or later and put it on the PATH",
        { cause: error },
      );
    }
    throw noWorkTree(folder, error);
  }
  if (answer === "") throw noWorkTree(folder, undefined);
  return answer;
}

function noWorkTree(folder: string, cause: unknown): VaultError {
  return new VaultError(
    "no-repository",
    `not inside a git work tree: ${folder}`,
    "make one with git init, or go to a clone that is not bare",
    { cause },
  );
}

function alteredByHook(path: string): VaultError {
  return new VaultError(
    "git-failed",
    `a hook of this repository changed what was to be committed: ${path}`,
    "nothing was changed; have the hook leave .vault alone, or pass --no-commit and commit yourself without it",
  );
}

function notReady(message: string, hint: string): VaultError {
  return new VaultError("git-not-ready", message, hint);
}

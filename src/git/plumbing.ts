import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { readBlobs } from "./blobs.ts";
import { DURABLE, gitFailure } from "./client.ts";
import { NO_MONITOR, NO_OTHER_REPOSITORY, NO_PLANTED_REPOSITORY } from "./guards.ts";
import type { Repository } from "./repository.ts";

// git's commands for objects and refs that are no branch's. No branch, index, work tree or setting of the user's is
// touched, no hook runs, and nothing is tidied up on the way. In a repository that cannot be written to, objects go to a
// folder for the time being, and refs stay as they are.

const SETTINGS = [
  "--no-replace-objects",
  ...[
    "core.hooksPath=/dev/null",
    NO_MONITOR,
    NO_PLANTED_REPOSITORY,
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
  ].flatMap((setting) => ["-c", setting]),
  ...DURABLE,
];

const MANY_LOOSE_OBJECTS = 300;

export interface GitInput {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

export interface GitAnswer {
  readonly ok: boolean;
  readonly output: Buffer;
  /** What git said besides. */
  readonly talk: string;
}

export class Plumbing {
  /** Whether refs and objects can be kept in the repository itself. */
  readonly canKeep: boolean;
  readonly #workTree: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #spare: string | undefined;

  private constructor(workTree: string, spare: string | undefined, env: Readonly<Record<string, string>>) {
    this.canKeep = spare === undefined;
    this.#workTree = workTree;
    this.#spare = spare;
    this.#env = env;
  }

  /** @param spareFolder where objects may go that the repository cannot take. */
  static async open(repository: Repository, spareFolder: string): Promise<Plumbing> {
    const { workTree } = repository;
    const path = async (name: string) =>
      resolve(workTree, await repository.run(["rev-parse", "--git-path", name]));
    const [objects, refs] = [await path("objects"), await path("refs")];
    if (isWritable(objects) && isWritable(refs)) return new Plumbing(workTree, undefined, {});
    const spare = mkdtempSync(join(spareFolder, "vault-run-sharing-"));
    return new Plumbing(workTree, spare, {
      GIT_OBJECT_DIRECTORY: spare,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(objects),
    });
  }

  /** For who only looks. */
  static forReading({ workTree }: Repository): Plumbing {
    return new Plumbing(workTree, undefined, {});
  }

  close(): void {
    if (this.#spare !== undefined) rmSync(this.#spare, { recursive: true, force: true });
  }

  /**
   * Puts loose objects into a pack, where there are many. Each version of a growing file is one, nearly as large as the file,
   * and git itself would wait for thousands.
   */
  async packLoose(): Promise<void> {
    const when = `maintenance.loose-objects.auto=${MANY_LOOSE_OBJECTS}`;
    // What cannot be packed now stays as it is.
    await this.ask(["-c", when, "maintenance", "run", "--auto", "--quiet", "--task=loose-objects"]);
  }

  /** Runs a git command; what it prints, byte for byte. @throws {VaultError} `git-failed` */
  async run(args: readonly string[], given: GitInput = {}): Promise<Buffer> {
    const { ok, output, talk } = await this.ask(args, given);
    if (ok) return output;
    throw gitFailure(
      new Error(talk === "" ? "it gave no reason" : talk),
      args,
      "nothing was changed; mend what git says",
    );
  }

  /** The same for a command whose failure is an answer. */
  async ask(args: readonly string[], { input = "", env = {} }: GitInput = {}): Promise<GitAnswer> {
    const { exitCode, stdout, stderr } = await execa("git", [...SETTINGS, ...args], {
      cwd: this.#workTree,
      env: { ...NO_OTHER_REPOSITORY, ...this.#env, ...env },
      input,
      encoding: "buffer",
      reject: false,
      stripFinalNewline: false,
    });
    return { ok: exitCode === 0, output: Buffer.from(stdout), talk: Buffer.from(stderr).toString().trim() };
  }

  /** What a git command prints, as text. */
  async read(args: readonly string[]): Promise<string> {
    return (await this.run(args)).toString();
  }

  /** What it prints on its one line. */
  async line(args: readonly string[], given: GitInput = {}): Promise<string> {
    return (await this.run(args, given)).toString().trim();
  }

  blobs(names: readonly string[]): AsyncGenerator<Buffer | undefined> {
    return readBlobs(this.#workTree, names, this.#env);
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

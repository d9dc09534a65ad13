import { existsSync, linkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { VaultError } from "../vault-error.ts";
import { Plumbing } from "./plumbing.ts";
import type { Repository } from "./repository.ts";

// What some paths were in the index, to put that back and nothing else: whoever else has staged something meanwhile keeps
// it. git never writes an index in place but renames a new one over it, so a second link to the file keeps it as it was, and
// it is read only where something is to be put back.

const LOCK_TRIES = 50;
const LOCK_WAIT_MS = 100;

export class KeptIndex {
  readonly #git: Plumbing;
  readonly #index: string;
  readonly #kept: string;
  readonly #added: string;

  constructor(repository: Repository, scratchFolder: string) {
    this.#git = Plumbing.forReading(repository);
    this.#index = join(repository.gitFolder, "index");
    this.#kept = join(scratchFolder, "index");
    this.#added = join(scratchFolder, "index-added");
    this.forget();
    if (existsSync(this.#index)) linkSync(this.#index, this.#kept);
  }

  /** The paths are staged now. What stands at them from here on is ours, until another stages them. */
  markAdded(): void {
    linkSync(this.#index, this.#added);
  }

  /** The paths at which a commit has something else than was in the index when ours were added. */
  async findOtherIn(commit: string): Promise<ReadonlySet<string>> {
    const args = ["diff-index", "--cached", "--name-only", "-z", "--no-renames", commit];
    const names = await this.#git.run(args, { env: { GIT_INDEX_FILE: this.#added } });
    return new Set(names.toString().split("\0"));
  }

  /**
   * Puts back what was staged at `paths` (below the work tree's top), but where another has staged them since. Resolves to
   * what is to be thrown.
   */
  async restoreAfter(error: unknown, paths: readonly string[]): Promise<unknown> {
    // Why this fails matters less than why the commit did.
    if (await this.#restore(paths).catch(() => false)) return error;
    return new VaultError(
      "git-failed",
      `${error instanceof Error ? error.message : "git failed"}; and what was staged for it could not be taken back`,
      "mend what git says, see with git status what is staged, and take that back: git restore --staged",
      { cause: error },
    );
  }

  forget(): void {
    rmSync(this.#kept, { force: true });
    rmSync(this.#added, { force: true });
  }

  async #restore(paths: readonly string[]): Promise<boolean> {
    const own = paths.map((path) => Buffer.from(path).toString("latin1"));
    const before = await this.#entries(this.#kept);
    const added = existsSync(this.#added) ? await this.#entries(this.#added) : undefined;
    // On a full disk this is the room for the index that git is to write.
    this.forget();
    for (let tries = 1; ; tries++) {
      const now = await this.#entries(this.#index);
      const ours = own.filter(
        (path) =>
          now.get(path) !== before.get(path) && (added === undefined || now.get(path) === added.get(path)),
      );
      if (ours.length === 0 || (await this.#stage(ours, before, now))) return true;
      // Only where another git has its lock is it worth waiting.
      if (!existsSync(`${this.#index}.lock`) || tries === LOCK_TRIES) return false;
      await sleep(LOCK_WAIT_MS);
    }
  }

  /** Has git write entries into the index as it is now. */
  async #stage(paths: readonly string[], entries: Entries, now: Entries): Promise<boolean> {
    const lines = paths.flatMap((path) => {
      const none = "0".repeat(idLength(entries.get(path) ?? now.get(path) ?? ""));
      return [`0 ${none}\t${path}\0`, entries.get(path) ?? ""];
    });
    const input = Buffer.from(lines.join(""), "latin1");
    return (
      await this.#git.ask(["update-index", "-z", "--index-info"], {
        input,
        env: { GIT_INDEX_FILE: this.#index },
      })
    ).ok;
  }

  /** What an index has at each path: a line of `ls-files --stage` for each stage. */
  async #entries(index: string): Promise<Entries> {
    const listed = await this.#git.run(["ls-files", "--stage", "-z"], { env: { GIT_INDEX_FILE: index } });
    const entries = new Map<string, string>();
    for (const line of listed.toString("latin1").split("\0")) {
      if (line === "") continue;
      const path = line.slice(line.indexOf("\t") + 1);
      entries.set(path, `${entries.get(path) ?? ""}${line}\0`);
    }
    return entries;
  }
}

/** By path, byte for byte (latin1). */
type Entries = ReadonlyMap<string, string>;

/** Of the object's id in `MODE ID STAGE<TAB>PATH`. */
function idLength(entry: string): number {
  return entry.split(" ")[1]?.length ?? 0;
}

import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { changedMeanwhile } from "./basis.ts";
import type { Journal, JournalWrite, WrittenPath } from "./journal.ts";
import type { Progress } from "./plan.ts";

// The files of a change. What can fail for want of space comes first: all of them are written as drafts and fsynced before
// the first is renamed over its place. What stood there keeps a second name meanwhile, so that taking the change back needs
// no space either. Nothing is written through a link, whatever a repo writer laid there. Drafts and second names stand in
// the vault's folder, on its file system, under names that no record has and nobody can guess.

const PARALLEL_WRITES = 8;

export class FileChanges {
  readonly #root: string;
  readonly #writes: readonly JournalWrite[];
  readonly #token: string;
  /** Those of the writes that were put in place here. */
  readonly #placed = new Set<number>();
  /** The folders that were made, outermost first. */
  readonly #made: string[] = [];

  /** @param root the `.vault` folder. */
  constructor({ writes, token }: Pick<Journal, "writes" | "token">, root: string) {
    this.#root = root;
    this.#writes = writes;
    this.#token = token;
  }

  /** Whether every file holds what it held before. */
  get isUntouched(): boolean {
    return this.#writes.every((write) => currentText(this.#root, write.path) === write.before);
  }

  /** A file that holds neither what it held before nor what it is to hold. */
  findForeign(): WrittenPath | undefined {
    const isForeign = (write: JournalWrite) =>
      ![write.before, write.after].includes(currentText(this.#root, write.path));
    return this.#writes.find(isForeign)?.path;
  }

  /** Can be done again wherever it was broken off. */
  async putInPlace(wrote: Progress = () => {}): Promise<void> {
    this.#makeIfMissing(this.#root);
    await this.#writeDrafts(wrote);
    for (const [index, { path, before, after }] of this.#writes.entries()) {
      // Git takes no lock of ours: it may have put another in its place at any moment.
      if (![before, after].includes(currentText(this.#root, path))) throw changedMeanwhile();
      if (before !== null) linkIfMissing(join(this.#root, path), this.#kept(index));
      renameSync(this.#draft(index), join(this.#root, path));
      this.#placed.add(index);
    }
    this.#syncFolders();
  }

  async #writeDrafts(wrote: Progress): Promise<void> {
    let written = 0;
    const queue = [...this.#writes.entries()];
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, { path, after }] = next;
        this.#makePlainFolders(path);
        await writeDraft(this.#draft(index), after);
        wrote(++written, this.#writes.length);
      }
    };
    const workers = await Promise.allSettled(Array.from({ length: PARALLEL_WRITES }, worker));
    const failed = workers.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Only for who has just put them in place, or failed to: files that others changed since would be lost. */
  takeBack(): void {
    for (const [index, { path, before, after }] of this.#writes.entries()) {
      const place = join(this.#root, path);
      if (before !== null) renameIfThere(this.#kept(index), place);
      // A hook may have made another text of ours.
      else if (this.#placed.has(index)) rmSync(place, { force: true });
      else if (currentText(this.#root, path) === after) rmSync(place);
    }
    this.tidy();
    for (const folder of this.#made.reverse()) rmdirSync(folder);
    this.#syncFolders();
  }

  /** Removes drafts and second names. */
  tidy(): void {
    for (const index of this.#writes.keys()) {
      rmSync(this.#draft(index), { force: true });
      rmSync(this.#kept(index), { force: true });
    }
  }

  /** Makes the folders on the way to a record; one that is there must be a folder and no link. */
  #makePlainFolders(path: WrittenPath): void {
    const segments = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= segments.length; depth++)
      this.#makeIfMissing(join(this.#root, ...segments.slice(0, depth)));
  }

  #makeIfMissing(folder: string): void {
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    if (stat?.isDirectory() === false) throw notPlain(folder);
    if (stat !== undefined) return;
    mkdirSync(folder);
    this.#made.push(folder);
  }

  #draft(index: number): string {
    return join(this.#root, `.draft-${this.#token}-${index}`);
  }

  #kept(index: number): string {
    return `${this.#draft(index)}-before`;
  }

  /** Each folder with a changed name in it; one that was made is a changed name in the folder above. */
  #syncFolders(): void {
    const folders = new Set([dirname(this.#root)]);
    for (const { path } of this.#writes) {
      for (let at = dirname(join(this.#root, path)); at.startsWith(this.#root); at = dirname(at))
        folders.add(at);
    }
    for (const folder of folders) if (isThere(folder)) syncFolder(folder);
  }
}

async function writeDraft(path: string, text: string): Promise<void> {
  // Left by an earlier attempt at this same change.
  rmSync(path, { force: true });
  const file = await open(path, "wx", 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The text that stands at a path, null where there is nothing. Never read through a link. */
export function currentText(root: string, path: WrittenPath): string | null {
  let fd: number;
  try {
    fd = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
    if (systemCode(error) === "ELOOP") throw notPlain(join(root, path));
    throw diskError(error, "read", join(root, path));
  }
  try {
    if (!fstatSync(fd).isFile()) throw notPlain(join(root, path));
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

function notPlain(path: string): VaultError {
  return new VaultError(
    "record-invalid",
    `not a plain file or folder: ${path}`,
    "remove it: nothing in .vault may be a link or a device",
  );
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Below what is no folder there is nothing.
    if (systemCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

function linkIfMissing(path: string, to: string): void {
  try {
    linkSync(path, to);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

function renameIfThere(path: string, to: string): void {
  try {
    renameSync(path, to);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

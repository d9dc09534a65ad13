import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
} from "node:fs";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { printable } from "./names.ts";
import { findPlace, type RecordPath } from "./paths.ts";
import { MAX_RECORD_BYTES } from "./record.ts";
import type { RecordSource } from "./record-source.ts";

// The only reader of `.vault/` on disk. It follows no symlink below it, opens only regular files, and reads no more than a
// record can be. Whoever can push chooses every byte and every name in here.

/** The names in a record's path. */
const MAX_DEPTH = 4;
/** What node makes of bytes in a name that are not UTF-8: by that the folder is not found again. */
const NO_TEXT = "\ufffd";

export class RecordFiles implements RecordSource {
  readonly root: string;
  readonly #plainFolders = new Set<string>();

  constructor(root: string) {
    this.root = root;
  }

  read(path: RecordPath): Buffer | undefined {
    if (!this.#isPlainWay(path.slice(0, Math.max(0, path.lastIndexOf("/"))))) return undefined;
    try {
      return readRegularFile(this.#file(path), path);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      if (systemCode(error) === "ELOOP") throw notPlain(path);
      throw diskError(error, "read", this.#file(path));
    }
  }

  has(path: RecordPath): boolean {
    try {
      return lstatSync(this.#file(path), { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      // Below what is no folder there is nothing.
      if (systemCode(error) === "ENOTDIR") return false;
      throw diskError(error, "look at", this.#file(path));
    }
  }

  list(folder: string): RecordPath[] {
    return recordPaths(folder, this.#names(folder));
  }

  listFolders(folder: "agents" | "groups"): string[] {
    return scopeNames(
      folder,
      this.#names(folder).filter((name) => this.#isPlainFolder(`${folder}/${name}`)),
    );
  }

  paths(folder = ""): string[] {
    const paths = this.#entries(folder).flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() && mayHoldRecords(path) ? this.paths(path) : [path];
    });
    return paths.sort();
  }

  #entries(folder: string): Dirent[] {
    try {
      return readdirSync(folder === "" ? this.root : this.#file(folder), { withFileTypes: true });
    } catch (error) {
      throw diskError(error, "list", this.#file(folder));
    }
  }

  // Not by node's join, which goes through every character: what stands below the root has parsed names alone.
  #file(path: string): string {
    return `${this.root}/${path}`;
  }

  #names(folder: string): string[] {
    if (!this.#isPlainWay(folder)) return [];
    try {
      return readdirSync(this.#file(folder)).sort();
    } catch (error) {
      throw diskError(error, "list", this.#file(folder));
    }
  }

  /** Whether the folder, and each on the way to it, is there and is no link. */
  #isPlainWay(folder: string): boolean {
    if (folder === "" || this.#plainFolders.has(folder)) return true;
    return (
      this.#isPlainWay(folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) && this.#isPlainFolder(folder)
    );
  }

  #isPlainFolder(folder: string): boolean {
    if (this.#plainFolders.has(folder)) return true;
    try {
      const stat = lstatSync(this.#file(folder));
      if (stat.isSymbolicLink()) throw notPlain(folder);
      if (stat.isDirectory()) this.#plainFolders.add(folder);
      return stat.isDirectory();
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      throw diskError(error, "look at", this.#file(folder));
    }
  }
}

/** Of any other folder it is enough that it is there: whoever can push makes them deep, or names them by what is no text. */
function mayHoldRecords(folder: string): boolean {
  return folder.split("/").length < MAX_DEPTH && !folder.includes(NO_TEXT);
}

/** Of the names in a folder, the records' paths. */
export function recordPaths(folder: string, names: readonly string[]): RecordPath[] {
  const paths = names
    .filter((name) => name.endsWith(".json"))
    .map((name) => `${folder}/${name}` as RecordPath);
  for (const path of paths) if (findPlace(path) === undefined) throw strayFile(path);
  refuseTwins(paths);
  return paths;
}

/** The names of folders that hold agents or groups. */
export function scopeNames(folder: "agents" | "groups", names: string[]): string[] {
  const probe = folder === "agents" ? "agent.json" : "group.json";
  const stray = names.find((name) => findPlace(`${folder}/${name}/${probe}`) === undefined);
  if (stray !== undefined) throw strayFile(`${folder}/${stray}`);
  return names;
}

function readRegularFile(file: string, path: RecordPath): Buffer {
  // O_NONBLOCK: opening a named pipe must not hang.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw notPlain(path);
    if (stat.size > MAX_RECORD_BYTES) {
      throw new VaultError(
        "record-invalid",
        `not a valid record, larger than any record can be: .vault/${path}`,
        `restore it from a commit that was good: git log -- .vault/${path}`,
      );
    }
    const bytes = Buffer.alloc(stat.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    // One that became shorter meanwhile is no record.
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/** Two names that some file systems cannot tell apart: which one is read would depend on the machine. */
function refuseTwins(paths: readonly RecordPath[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    const folded = path.toLowerCase();
    if (seen.has(folded)) {
      throw new VaultError(
        "bad-name",
        `two names that differ only in letter case: .vault/${path}`,
        "only vault-run writes to .vault, and it makes no such pair: see who did with git log, and remove one",
      );
    }
    seen.add(folded);
  }
}

export function notPlain(path: string): VaultError {
  return new VaultError(
    "record-invalid",
    `not a plain file or folder: .vault/${path}`,
    "remove it: nothing in .vault may be a link or a device",
  );
}

function strayFile(path: string): VaultError {
  return new VaultError(
    "bad-name",
    `no record can have this name: ${printable(`.vault/${path}`)}`,
    "remove it: only vault-run writes to .vault",
  );
}

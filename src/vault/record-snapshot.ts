import type { RecordPath } from "./paths.ts";
import { notPlain, recordPaths, scopeNames } from "./record-files.ts";
import type { RecordSource } from "./record-source.ts";

/** A vault's files as they stand together somewhere else than on disk: in a commit, or in a merge that is being made. */
export class RecordSnapshot implements RecordSource {
  readonly root: string;
  readonly #files: ReadonlyMap<string, Buffer | "not-plain">;

  /** @param files by path below `.vault`; `not-plain` for a link or whatever else is no plain file. */
  constructor(root: string, files: ReadonlyMap<string, Buffer | "not-plain">) {
    this.root = root;
    this.#files = files;
  }

  read(path: RecordPath): Buffer | undefined {
    const file = this.#files.get(path);
    if (file === "not-plain") throw notPlain(path);
    return file;
  }

  has(path: RecordPath): boolean {
    return this.#files.has(path);
  }

  list(folder: string): RecordPath[] {
    this.#requireNoLink(folder);
    return recordPaths(folder, this.#below(folder));
  }

  listFolders(folder: "agents" | "groups"): string[] {
    for (const name of ["", ...this.#below(folder).map((file) => `/${file}`)])
      this.#requireNoLink(folder + name);
    const folders = [...this.#files.keys()].filter((path) => path.split("/").length > 2);
    const names = folders
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.split("/")[1] ?? "");
    return scopeNames(folder, [...new Set(names)].sort());
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  #requireNoLink(folder: string): void {
    if (this.#files.get(folder) === "not-plain") throw notPlain(folder);
  }

  #below(folder: string): string[] {
    const depth = folder.split("/").length;
    const paths = [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return paths
      .filter((path) => path.split("/").length === depth + 1)
      .map((path) => path.split("/")[depth] ?? "")
      .sort();
  }
}

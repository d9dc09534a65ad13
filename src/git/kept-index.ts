import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * The index as it was, to put back without needing any space: git never writes an index in place but renames a new one
 * over it, so a second link to the file keeps it.
 */
export class KeptIndex {
  readonly #index: string;
  readonly #kept: string;
  readonly #existed: boolean;

  constructor(gitFolder: string, scratchFolder: string) {
    this.#index = join(gitFolder, "index");
    this.#kept = join(scratchFolder, "index");
    this.forget();
    this.#existed = existsSync(this.#index);
    if (this.#existed) linkSync(this.#index, this.#kept);
  }

  restore(): void {
    if (this.#existed) renameSync(this.#kept, this.#index);
    else rmSync(this.#index, { force: true });
  }

  forget(): void {
    rmSync(this.#kept, { force: true });
  }
}

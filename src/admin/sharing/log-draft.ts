import type { Plumbing } from "../../git/plumbing.ts";
import { FULL_BYTES, type LogFile, logFileName } from "./log-files.ts";

// Lines to be put behind a log, and the commit of them. Author, committer and times are no one's and no clock's: of the same
// lines everyone makes the same commit.

const LINE_FEED = Buffer.from("\n");
const NOBODY = "vault-run";

export class LogDraft {
  readonly #plumbing: Plumbing;
  readonly #base: string | undefined;
  /** Those that stay as they are. */
  readonly #files: LogFile[];
  /** The last file, which grows. */
  #last: Buffer[];
  #lastBytes: number;
  #added = 0;
  #newest = "";

  /**
   * @param base the commit that it goes on from.
   * @param files what that one has, and `last` the content of the last of them.
   */
  constructor(plumbing: Plumbing, base: string | undefined, files: readonly LogFile[], last: Buffer) {
    const grows = last.length > 0 && last.length < FULL_BYTES;
    this.#plumbing = plumbing;
    this.#base = base;
    this.#files = grows ? files.slice(0, -1) : [...files];
    this.#last = grows ? [last] : [];
    this.#lastBytes = grows ? last.length : 0;
  }

  /** How many lines were added. */
  get added(): number {
    return this.#added;
  }

  /** @param time when the line was written. */
  async add(line: Buffer, time: string): Promise<void> {
    this.#last.push(line, LINE_FEED);
    this.#lastBytes += line.length + 1;
    this.#added++;
    if (time > this.#newest) this.#newest = time;
    if (this.#lastBytes >= FULL_BYTES) await this.#closeFile();
  }

  /** The commit that has all of it; that it goes on from, where nothing was added. */
  async commit(): Promise<string | undefined> {
    if (this.#added === 0) return this.#base;
    if (this.#lastBytes > 0) await this.#closeFile();
    const entries = this.#files.map(({ name, blob }) => `100644 blob ${blob}\t${name}\n`);
    const tree = await this.#plumbing.line(["mktree"], { input: entries.join("") });
    const parent = this.#base === undefined ? [] : ["-p", this.#base];
    const date = `@${Math.max(0, Math.floor(Date.parse(this.#newest) / 1000))} +0000`;
    const env = Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((who) => [
        [`GIT_${who}_NAME`, NOBODY],
        [`GIT_${who}_EMAIL`, NOBODY],
        [`GIT_${who}_DATE`, date],
      ]),
    );
    const input = `${this.#added} ${this.#added === 1 ? "line" : "lines"}, until ${this.#newest}\n`;
    return this.#plumbing.line(["commit-tree", "--no-gpg-sign", ...parent, tree], { input, env });
  }

  async #closeFile(): Promise<void> {
    const input = Buffer.concat(this.#last);
    const blob = await this.#plumbing.line(["hash-object", "-w", "--stdin"], { input });
    this.#files.push({ name: logFileName(this.#files.length), blob });
    this.#last = [];
    this.#lastBytes = 0;
  }
}

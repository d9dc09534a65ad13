import { linesOf } from "../../audit/blocks.ts";
import { findWriter, type Writer } from "../../audit/writer.ts";
import type { Plumbing } from "../../git/plumbing.ts";
import { digest } from "../../vault/fingerprint.ts";
import type { VaultId } from "../../vault/names.ts";
import { seemsWrittenBy } from "./lines-here.ts";
import { LogDraft } from "./log-draft.ts";
import { lineDigests, logLines, readLogFiles } from "./log-files.ts";
import { type Lost, LostLines } from "./lost-lines.ts";

/** The lines of one vault in refs and in what is to be pushed: one key may be an owner's of several vaults. */
export class PushedLines {
  readonly #vault: VaultId;
  /** By their digests, and whether the log here has them. */
  readonly #met = new Map<string, boolean>();
  #unmet = 0;

  constructor(vault: VaultId) {
    this.#vault = vault;
  }

  /** How many the log here has not, as far as it was gone through. */
  get unmet(): number {
    return this.#unmet;
  }

  /** Takes note of what a ref has of its writer. A copy of another's line there is not in that one's ref. */
  hold(line: Buffer): void {
    const key = digest(line);
    if (!line.includes(this.#vault) || this.#met.has(key)) return;
    this.#met.set(key, false);
    this.#unmet++;
  }

  /** Whether a line of the log here needs no pushing: it was pushed, or is a copy of one that is going to be. */
  meets(line: Buffer): boolean {
    const key = digest(line);
    const isMet = this.#met.get(key);
    if (isMet === false) {
      this.#met.set(key, true);
      this.#unmet--;
    }
    return isMet !== undefined;
  }

  add(line: Buffer): void {
    this.#met.set(digest(line), true);
  }

  /** Whether a line that a ref has was not met. */
  isLost(line: Buffer): boolean {
    return this.#met.get(digest(line)) === false;
  }
}

/** A writer's log as far as it was pushed, and what is to follow. */
export class Outgoing {
  readonly draft: LogDraft;
  readonly #plumbing: Plumbing;
  readonly #base: string | undefined;
  readonly #lines: PushedLines;

  private constructor(plumbing: Plumbing, base: string | undefined, lines: PushedLines, draft: LogDraft) {
    this.#plumbing = plumbing;
    this.#base = base;
    this.#lines = lines;
    this.draft = draft;
  }

  /** @param base the commit that has what was pushed to the ref; undefined where nothing was. */
  static async open(
    plumbing: Plumbing,
    ref: string,
    base: string | undefined,
    lines: PushedLines,
  ): Promise<Outgoing> {
    const isOwn = seemsWrittenBy(findWriter(ref) as Writer);
    const files = base === undefined ? [] : await readLogFiles(plumbing, base);
    let last: Buffer = Buffer.alloc(0);
    for await (const bytes of plumbing.blobs(files.map(({ blob }) => blob))) {
      if (bytes === undefined) continue;
      last = bytes;
      for (const line of linesOf(bytes)) if (isOwn(line)) lines.hold(line);
    }
    return new Outgoing(plumbing, base, lines, new LogDraft(plumbing, base, files, last));
  }

  async add(line: Buffer, time: string): Promise<void> {
    this.#lines.add(line);
    await this.draft.add(line, time);
  }

  /**
   * The lines that were pushed and are not in the log here. Call it once all of that was met.
   *
   * @param record a commit that has what the log here had before, where there is one.
   * @param isOwn whether it is the writer's line: whoever may push can put others there, and must not stop it by that.
   */
  async findLost(
    record: string | undefined,
    isOwn: (line: Buffer) => Promise<boolean>,
  ): Promise<Lacking | undefined> {
    if (this.#base === undefined || this.#lines.unmet === 0) return undefined;
    const had = await lineDigests(this.#plumbing, record);
    const [gone, foreign] = [new LostLines(), new LostLines()];
    for await (const lines of logLines(this.#plumbing, this.#base))
      for (const line of lines)
        if (this.#lines.isLost(line) && (await isOwn(line)))
          (had.has(digest(line)) ? gone : foreign).add(line);
    return gone.lines + foreign.lines === 0 ? undefined : { gone, foreign, isSure: record !== undefined };
  }
}

/** What the log here lacks of what was pushed. */
export interface Lacking {
  /** It had these. */
  readonly gone: Lost;
  /** It never had these, or it is not known. */
  readonly foreign: Lost;
  /** Whether it is known what it had. */
  readonly isSure: boolean;
}

import { digest } from "../vault/fingerprint.ts";
import type { VaultId } from "../vault/names.ts";
import { type Block, blocksOf, textsOf } from "./blocks.ts";
import { Chain } from "./chain.ts";
import type { AuditLine } from "./event.ts";
import type { Findings, LineStatus, LogRead, ReadLine } from "./finding.ts";
import { FindingList } from "./finding-list.ts";
import { isSignedBy, parseLine, reparseLine } from "./line.ts";
import { LineIndex, Mark } from "./line-index.ts";
import { mergeByTime } from "./merge-by-time.ts";
import { OpenLog } from "./open-log.ts";
import { maySay, type Readers } from "./reader.ts";
import type { LogSource } from "./source.ts";
import type { VerifiedBlocks } from "./verified-blocks.ts";

// Reads all logs once, side by side, and says of each line what can be said: whether its signature holds, whether who signed
// it may say so, and whether the line that it followed is there. A line that stands in several logs, this machine's and what
// was pushed from it, is verified and handed on once. What is kept in memory of each line is its digest and little else.

/** So many blocks of a log are verified at once, where there are few logs. */
const BLOCKS_AHEAD = 2;
const FEW_LOGS = 8;

export interface ReadBy {
  readonly vault: VaultId;
  readonly readers: Readers;
  readonly verified: VerifiedBlocks;
  /** The machine's name, the user's number there, and the fingerprint of the reader's own key. */
  readonly host: string;
  readonly uid: number;
  readonly key: string;
}

interface FoundLine {
  /** Its number in the index, and in its log. */
  readonly index: number;
  readonly number: number;
  readonly line: AuditLine;
  readonly isRepeated: boolean;
}

export class LogReading {
  readonly #by: ReadBy;
  readonly #logs: readonly OpenLog[];
  readonly #index = new LineIndex();
  readonly #findings = new FindingList();
  readonly #chain: Chain;
  readonly #checking = new Set<Promise<unknown>>();
  /** Whose verified lines stand in this machine's log, or are to. */
  readonly #local = new Set<string>();

  constructor(logs: readonly LogSource[], by: ReadBy) {
    this.#by = by;
    this.#logs = logs.map((source, at) => new OpenLog(source, at));
    this.#chain = new Chain(this.#index, this.#findings, logs);
    this.#local.add(writerOf(by));
  }

  /** The lines of this vault that stand in their own log, each once, in the order of their times as far as the logs have them so. */
  lines(): AsyncGenerator<readonly ReadLine[]> {
    return mergeByTime(this.#logs.map((log) => this.#linesOf(log)));
  }

  /** What is to be said of the logs, once `lines` came to its end. Remembers what was verified. */
  async end(): Promise<{ logs: readonly LogRead[]; findings: Findings }> {
    this.#chain.end();
    await this.#findMissing();
    this.#by.verified.save();
    return { logs: this.#logs.map((log) => log.read()), findings: this.#findings.list() };
  }

  async *#linesOf(log: OpenLog): AsyncGenerator<ReadLine[]> {
    const waiting: Promise<ReadLine[]>[] = [];
    for await (const block of blocksOf(log.source)) {
      waiting.push(this.#verify(log, block));
      const ahead = this.#checking.size > 0 && this.#logs.length <= FEW_LOGS ? BLOCKS_AHEAD : 0;
      while (waiting.length > ahead) yield (await waiting.shift()) ?? [];
    }
    for (const lines of waiting) yield await lines;
  }

  /** What goes by the order of lines is done at once, and what needs signatures when they are verified. */
  async #verify(log: OpenLog, block: Block): Promise<ReadLine[]> {
    const name = digest(block.bytes);
    const others = this.#by.verified.find(name);
    const found: FoundLine[] = [];
    const places: { index: number; place: number }[] = [];
    const checks: Promise<void>[] = [];
    for (const [place, text] of textsOf(block.bytes).entries()) {
      log.lines++;
      if (text === "") continue;
      const isHeld = others !== undefined && !others.has(place);
      const index = this.#numberOf(text);
      places.push({ index, place });
      const line = typeof text !== "string" ? undefined : isHeld ? reparseLine(text) : parseLine(text);
      const isRepeated = this.#see(log, block.file, index, line);
      if (line === undefined || typeof text !== "string") continue;
      found.push({ index, number: log.lines, line, isRepeated });
      const check = this.#check(index, line, text, isHeld);
      if (check !== undefined) checks.push(check);
    }
    await this.#done(checks);
    const unheld = places.filter(({ index }) => !this.#index.has(index, Mark.held));
    this.#by.verified.add(
      name,
      unheld.map(({ place }) => place),
    );
    return found.flatMap((line) => this.#judge(log, line));
  }

  #numberOf(line: string | Buffer): number {
    const number = this.#index.numberOf(digest(line));
    if (number === undefined) throw new TypeError("a digest that is none");
    return number;
  }

  /** Whether the line stood in this log before. */
  #see(log: OpenLog, file: number, index: number, line: AuditLine | undefined): boolean {
    const { at, source } = log;
    const place = { log: at, file };
    if (line === undefined) this.#findings.add("torn", source.name, log.lines, undefined);
    else this.#chain.follow(place, log.lines, line);
    const isSeen = source.isLocal ? this.#index.has(index, Mark.local) : this.#index.logOf(index) === at;
    this.#index.mark(index, source.isLocal ? Mark.local | Mark.seen : Mark.seen);
    this.#chain.saw(place, index);
    if (!source.isLocal && line !== undefined && !log.isForeign(line)) this.#index.setLog(index, at);
    return isSeen;
  }

  #check(index: number, line: AuditLine, text: string, isHeld: boolean): Promise<void> | undefined {
    if (isHeld) this.#index.mark(index, Mark.checked | Mark.held);
    if (this.#index.has(index, Mark.checked)) return undefined;
    this.#index.mark(index, Mark.checked);
    const reader = this.#by.readers.get(line.key);
    if (reader === undefined) return undefined;
    return isSignedBy(reader.key, line, text).then((holds) => {
      if (holds) this.#index.mark(index, Mark.held);
    });
  }

  /** Waits for these checks, and for those of other blocks: the same lines may stand there. */
  async #done(checks: readonly Promise<void>[]): Promise<void> {
    const own = Promise.all(checks);
    if (checks.length > 0) this.#checking.add(own);
    await Promise.all([...this.#checking]);
    this.#checking.delete(own);
  }

  #judge(log: OpenLog, { index, number, line, isRepeated }: FoundLine): ReadLine[] {
    const { name, isLocal } = log.source;
    if (line.vault !== this.#by.vault) {
      if (!this.#isShared(log)) this.#findings.add("other-vault", name, number, line);
      return [];
    }
    const status = this.#statusOf(index, line);
    if (status !== "verified") this.#findings.add(status, name, number, line);
    const isForeign = log.isForeign(line);
    if (isForeign || isRepeated) {
      this.#findings.add(isForeign ? "misplaced" : "repeated", name, number, line);
      return [];
    }
    if (status === "verified") {
      log.countVerified(line);
      if (isLocal) this.#local.add(writerOf(line));
    }
    if (this.#index.has(index, Mark.told)) return [];
    this.#index.mark(index, Mark.told);
    return [{ status, line }];
  }

  /** What a reader of this vault pushed is of no other vault, whatever else is pushed to the same place. */
  #isShared({ source: { isShared = false, key } }: OpenLog): boolean {
    return isShared && (key === undefined || !this.#by.readers.has(key));
  }

  #statusOf(index: number, line: AuditLine): LineStatus {
    const reader = this.#by.readers.get(line.key);
    if (reader === undefined) return "unknown-key";
    if (!this.#index.has(index, Mark.held)) return "bad-signature";
    return maySay(reader, line) ? "verified" : "wrong-signer";
  }

  /**
   * What was pushed from this machine must stand in its log. That it was pushed from here shows where lines of the same key,
   * host and user are in the log, or where all three are the reader's own.
   */
  async #findMissing(): Promise<void> {
    const missing = this.#withMissing();
    const local = [...this.#local];
    for (const { source, at } of this.#logs) {
      const isFromHere = local.some((writer) => writer.startsWith(`${source.key} ${source.host} `));
      if (source.isLocal || !missing.has(at) || !isFromHere) continue;
      let number = 0;
      for await (const { bytes } of blocksOf(source))
        for (const text of textsOf(bytes)) this.#findMissingLine(source.name, ++number, text);
    }
  }

  #findMissingLine(log: string, number: number, text: string | Buffer): void {
    if (typeof text !== "string" || text === "") return;
    const index = this.#numberOf(text);
    if (this.#index.has(index, Mark.local) || !this.#index.has(index, Mark.held)) return;
    const line = reparseLine(text);
    if (this.#local.has(writerOf(line))) this.#findings.add("missing-here", log, number, line);
  }

  /** The pushed logs, by their places, that hold a line which this machine's log does not. */
  #withMissing(): Set<number> {
    const missing = new Set<number>();
    for (let index = 0; index < this.#index.size; index++) {
      const log = this.#index.logOf(index);
      if (log !== undefined && !this.#index.has(index, Mark.local)) missing.add(log);
    }
    return missing;
  }
}

function writerOf({ key, host, uid }: Pick<ReadBy, "key" | "host" | "uid">): string {
  return `${key} ${host} ${uid}`;
}

import { digest } from "../vault/fingerprint.ts";
import type { VaultId } from "../vault/names.ts";
import { BlockTable, type TableLine } from "./block-table.ts";
import { type Block, BlockTexts, blocksOf, textsOf } from "./blocks.ts";
import { Chain, type Prev } from "./chain.ts";
import type { Findings, LineShape, LineStatus, LineView, LogRead, ReadLine } from "./finding.ts";
import { FindingList } from "./finding-list.ts";
import { isSignedBy, parseLine, reparseLine } from "./line.ts";
import { LineIndex, Mark } from "./line-index.ts";
import { JudgedLine, RememberedLine, viewOf } from "./line-view.ts";
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

/** A line, or what is torn, by its number in the index. */
interface IndexedLine {
  readonly index: number;
  readonly prev: Prev;
  /** Undefined where it is torn. */
  readonly view: LineView | undefined;
  /** Undefined where it was verified before. */
  readonly text: string | Buffer | undefined;
}

interface FoundLine extends IndexedLine {
  /** Its number in its log. */
  readonly number: number;
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
    const known = this.#by.verified.find(name);
    const texts = new BlockTexts(block.bytes);
    const found: (FoundLine | undefined)[] = [];
    const checks: Promise<void>[] = [];
    const count = known?.lines ?? texts.count;
    for (let place = 0; place < count; place++) {
      log.lines++;
      if (known?.isEmpty(place) ?? texts.at(place) === "") {
        found.push(undefined);
        continue;
      }
      const isHeld = known?.isHeld(place) === true;
      const line = isHeld ? this.#recall(known, place, texts) : this.#parse(texts.at(place));
      const isRepeated = this.#see(log, block.file, line);
      found.push({ ...line, number: log.lines, isRepeated });
      const check = this.#check(line, isHeld);
      if (check !== undefined) checks.push(check);
    }
    await this.#done(checks);
    this.#remember(name, known, found);
    return found.flatMap((line) => (line?.view === undefined ? [] : this.#judge(log, line, line.view)));
  }

  #recall(known: BlockTable, place: number, texts: BlockTexts): IndexedLine {
    const prev = known.prevOf(place);
    const shape = known.shapeOf(place);
    const by = this.#by.verified;
    return {
      index: this.#index.numberAt(known.digests, place),
      prev: prev === undefined ? "none" : this.#index.numberAt(known.digests, prev),
      view:
        shape === undefined
          ? viewOf(reparseLine(String(texts.at(place))))
          : new RememberedLine(by.shapeOf(shape), known.timeOf(place), texts, place),
      text: undefined,
    };
  }

  #parse(text: string | Buffer): IndexedLine {
    const line = typeof text === "string" ? parseLine(text) : undefined;
    const prev = line?.prev === undefined ? "none" : this.#index.numberOf(line.prev);
    const view = line === undefined ? undefined : viewOf(line);
    return { index: this.#numberOf(text), prev, view, text };
  }

  #remember(name: string, known: BlockTable | undefined, found: readonly (FoundLine | undefined)[]): void {
    const isHeld = ({ index, prev }: FoundLine) => prev !== undefined && this.#index.has(index, Mark.held);
    const unheld = found.filter((line) => line !== undefined && !isHeld(line)).length;
    if (known?.unheld === unheld) return;
    const rows: (TableLine | undefined | null)[] = [];
    for (const line of found) {
      if (line?.view === undefined || !isHeld(line)) {
        rows.push(line === undefined ? null : undefined);
        continue;
      }
      const shape = this.#by.verified.numberOf(line.view.shape);
      const prev = typeof line.prev === "number" ? this.#index.wordsOf(line.prev) : undefined;
      rows.push({ at: line.view.at, shape, digest: this.#index.wordsOf(line.index), prev });
    }
    this.#by.verified.add(name, BlockTable.of(rows));
  }

  #numberOf(line: string | Buffer): number {
    const number = this.#index.numberOf(digest(line));
    if (number === undefined) throw new TypeError("a digest that is none");
    return number;
  }

  /** Whether the line stood in this log before. */
  #see(log: OpenLog, file: number, { index, prev, view }: IndexedLine): boolean {
    const { at, source } = log;
    const place = { log: at, file };
    if (view === undefined) this.#findings.add("torn", source.name, log.lines, undefined);
    else this.#chain.follow(place, log.lines, view, prev);
    const isSeen = source.isLocal ? this.#index.has(index, Mark.local) : this.#index.logOf(index) === at;
    this.#index.mark(index, source.isLocal ? Mark.local | Mark.seen : Mark.seen);
    this.#chain.saw(place, index);
    if (!source.isLocal && view !== undefined && !log.isForeign(view.shape)) this.#index.setLog(index, at);
    return isSeen;
  }

  #check({ index, view, text }: IndexedLine, isHeld: boolean): Promise<void> | undefined {
    if (isHeld) this.#index.mark(index, Mark.checked | Mark.held);
    if (view === undefined || typeof text !== "string" || this.#index.has(index, Mark.checked))
      return undefined;
    this.#index.mark(index, Mark.checked);
    const reader = this.#by.readers.get(view.shape.key);
    if (reader === undefined) return undefined;
    return isSignedBy(reader.key, view.line, text).then((holds) => {
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

  #judge(log: OpenLog, { index, number, isRepeated }: FoundLine, view: LineView): ReadLine[] {
    const { name, isLocal } = log.source;
    const { shape } = view;
    if (shape.vault !== this.#by.vault) {
      if (!this.#isShared(log)) this.#findings.add("other-vault", name, number, view.line);
      return [];
    }
    const status = this.#statusOf(index, shape);
    if (status !== "verified") this.#findings.add(status, name, number, view.line);
    const isForeign = log.isForeign(shape);
    if (isForeign || isRepeated) {
      this.#findings.add(isForeign ? "misplaced" : "repeated", name, number, view.line);
      return [];
    }
    if (status === "verified") {
      log.countVerified(view.at);
      if (isLocal) this.#local.add(writerOf(shape));
    }
    if (this.#index.has(index, Mark.told)) return [];
    this.#index.mark(index, Mark.told);
    return [new JudgedLine(status, view)];
  }

  /** What a reader of this vault pushed is of no other vault, whatever else is pushed to the same place. */
  #isShared({ source: { isShared = false, key } }: OpenLog): boolean {
    return isShared && (key === undefined || !this.#by.readers.has(key));
  }

  #statusOf(index: number, line: LineShape): LineStatus {
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

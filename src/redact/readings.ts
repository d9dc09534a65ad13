import { type Automaton, Cursor } from "./automaton.ts";
import { ROOT } from "./automaton-tables.ts";
import { CR, ESC, LF, SI, SO } from "./bytes.ts";
import { Lane } from "./lane.ts";
import type { Needle } from "./needle.ts";
import { SkippedSequences } from "./skipped-sequences.ts";
import type { Range, Unions } from "./unions.ts";
import type { WrappedLines } from "./wrapped-lines.ts";

// Finds the matches in one stream. Three readings of it run through the automaton:
//   1. the stream as it stands, all needles;
//   2. without CR and what terminals take for no text (`#plain`), all needles: CSI sequences (colours) and, with which they
//      end in many terminals, what chooses a character set (ECMA-35's nF sequences, SO and SI);
//   3. without these and LF (`#wrapped`), needles of the encodings that programs wrap.
// Readings 2 and 3 differ from 1 only behind a skipped byte that interrupts the beginning of a needle. Only there do
// they become active, and they end as soon as they agree with 1 again, so text costs one step a byte. A sequence that
// turns out to be another ends the partial match, as does a run of skipped bytes that is too long.

const MIN_MASKED_PARTIAL_BYTES = 8;
// What may be shown of a needle at the end of a line that does not look wrapped: such a line is not held back.
const MAX_LINE_END_BYTES = 2;

export class Readings {
  readonly #automaton: Automaton;
  readonly #unions: Unions;
  readonly #cursor = new Cursor();
  readonly #plain: Lane;
  readonly #wrapped: Lane;
  readonly #wrappedLines: WrappedLines;
  readonly #sequences = new SkippedSequences();
  #sequence: "none" | "escape" | "csi" | "nf" = "none";
  /** Position in the stream behind the last byte read. */
  #position = 0;

  constructor(automaton: Automaton, unions: Unions, wrappedLines: WrappedLines) {
    this.#automaton = automaton;
    this.#unions = unions;
    this.#wrappedLines = wrappedLines;
    this.#plain = new Lane(automaton);
    this.#wrapped = new Lane(automaton);
  }

  get position(): number {
    return this.#position;
  }

  /** Where the earliest partial match starts: so does, or behind it, every match that is still to come. */
  get partialFrom(): number {
    let from = this.#position - this.#automaton.depth(this.#cursor.state);
    if (this.#plain.active) from = Math.min(from, this.#plain.start);
    if (this.#wrapped.active) from = Math.min(from, this.#wrapped.start);
    return from;
  }

  /** From where on output has to wait. */
  get heldFrom(): number {
    let from = this.#position - this.#automaton.depth(this.#cursor.state);
    if (this.#plain.active) from = Math.min(from, this.#plain.start);
    if (this.#wrapped.active) from = Math.min(from, this.#wrapped.heldFrom);
    return from;
  }

  /**
   * How far output may go that shows `count` bytes of each partial match and no more. What a reading leaves out is none
   * of them; nor is what lies in `masked`, in which nothing was shown.
   */
  limitOf(count: number, masked: Range | undefined): number {
    const maskedTo = (start: number): number =>
      masked !== undefined && start >= masked.start ? masked.end : 0;
    const start = this.#position - this.#automaton.depth(this.#cursor.state);
    let limit = Math.min(Math.max(start, maskedTo(start)) + count, this.#position);
    for (const lane of [this.#plain, this.#wrapped]) {
      if (lane.active) limit = Math.min(limit, lane.limitOf(count, maskedTo(lane.start)) ?? limit);
    }
    return limit;
  }

  read(chunk: Buffer): void {
    const cursor = this.#cursor;
    const chunkStart = this.#position;
    cursor.begin(chunk);
    while (cursor.index < chunk.length) {
      if (this.#plain.active || this.#wrapped.active) this.#readByte(chunk, chunkStart);
      else if (this.#automaton.scan(cursor, chunk)) this.#found(chunkStart + cursor.index);
      else if (cursor.index < chunk.length) this.#readByte(chunk, chunkStart);
    }
    this.#position += chunk.length;
    this.#wrappedLines.endOfChunk(chunk);
  }

  /** Counts a long beginning of a needle, where the stream ends in one, as a match, and forgets the rest. */
  finish(): void {
    const partial = this.#automaton.largePartial(this.#cursor.state, MIN_MASKED_PARTIAL_BYTES);
    if (partial !== undefined) {
      this.#unions.add(this.#position - partial.length, this.#position, partial.needle);
    }
    for (const lane of [this.#plain, this.#wrapped]) {
      const partial = this.#automaton.largePartial(lane.state, MIN_MASKED_PARTIAL_BYTES);
      if (partial !== undefined) this.#foundIn(lane, partial.needle, lane.end, partial.length);
      lane.close();
    }
    this.#cursor.state = ROOT;
  }

  #found(end: number): void {
    const needle = this.#automaton.match(this.#cursor.state);
    if (needle === undefined) return;
    this.#unions.add(end - needle.bytes.length, end, needle);
    this.#cursor.state = this.#automaton.pending(this.#cursor.state);
  }

  #readByte(chunk: Uint8Array, chunkStart: number): void {
    const cursor = this.#cursor;
    const byte = chunk[cursor.index] as number;
    const position = chunkStart + cursor.index;
    if (this.#skips(byte, position)) {
      this.#plain.skip();
      this.#wrapped.skip();
    } else {
      if (byte === LF) this.#skipLineFeed(chunk, position);
      else if (this.#wrapped.active) this.#readWrapped(byte, position);
      if (this.#plain.active) this.#readPlain(byte, position);
    }
    if (!this.#plain.active && !this.#wrapped.active) {
      this.#sequence = "none";
      this.#sequences.clear();
    }

    cursor.state = this.#automaton.step(cursor.state, byte);
    cursor.index++;
    this.#found(position + 1);
  }

  // Whether the byte is a CR, SO or SI, or part of a CSI sequence (ESC [, bytes 20 to 3F, and one of 40 to 7E) or of an nF
  // sequence (ESC, bytes 20 to 2F, and one of 30 to 7E).
  #skips(byte: number, position: number): boolean {
    if (this.#sequence === "escape" && byte === 0x5b) {
      this.#sequence = "csi";
      return true;
    }
    if (this.#sequence === "escape" && byte >= 0x20 && byte <= 0x2f) {
      this.#sequence = "nf";
      return true;
    }
    if ((this.#sequence === "csi" || this.#sequence === "nf") && byte >= 0x20 && byte <= 0x7e) {
      if (byte >= (this.#sequence === "csi" ? 0x40 : 0x30)) this.#endSequence(position + 1);
      return true;
    }
    if (this.#sequence !== "none") {
      this.#sequence = "none";
      this.#plain.close();
      this.#wrapped.close();
    }
    if (byte !== CR && byte !== ESC && byte !== SO && byte !== SI) return false;
    if (!this.#plain.active) this.#plain.open(this.#cursor.state, position);
    if (byte === CR) return true;
    this.#sequence = "escape";
    this.#sequences.begin(position);
    if (byte !== ESC) this.#endSequence(position + 1);
    return true;
  }

  #endSequence(end: number): void {
    this.#sequence = "none";
    this.#sequences.end(end, this.partialFrom);
  }

  #skipLineFeed(chunk: Uint8Array, position: number): void {
    const wrapped = this.#wrapped;
    if (!wrapped.active) {
      if (this.#plain.active)
        wrapped.openFrom(this.#plain, this.#automaton.wrappingPrefix(this.#plain.state));
      else wrapped.open(this.#automaton.wrappingPrefix(this.#cursor.state), position);
    }
    if (!wrapped.active) return;
    wrapped.skip();
    const shown = this.#automaton.depth(wrapped.state) <= MAX_LINE_END_BYTES;
    if (shown && !this.#wrappedLines.endAt(chunk, this.#cursor.index)) wrapped.releaseTo(position + 1);
  }

  #readPlain(byte: number, position: number): void {
    const lane = this.#plain;
    lane.read(this.#automaton.step(lane.state, byte), position);
    const needle = this.#automaton.match(lane.state);
    if (needle !== undefined) this.#foundIn(lane, needle, position + 1);
    lane.settle(this.#automaton.pending(lane.state));
  }

  #readWrapped(byte: number, position: number): void {
    const lane = this.#wrapped;
    lane.read(this.#automaton.wrappingPrefix(this.#automaton.step(lane.state, byte)), position);
    const needle = this.#automaton.wrappingMatch(lane.state);
    if (needle !== undefined) this.#foundIn(lane, needle, position + 1);
    lane.settle(this.#automaton.wrappingPrefix(this.#automaton.pending(lane.state)));
  }

  #foundIn(lane: Lane, needle: Needle, end: number, length = needle.bytes.length): void {
    const start = lane.positionOf(length);
    this.#unions.add(start, end, needle, this.#sequences.take(start, end));
  }
}

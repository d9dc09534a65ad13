import { BRANCHES, CONTINUES, IN_WRAPPING_NEEDLE, ROOT, step, type Tables } from "./automaton-tables.ts";
import { buildTables } from "./build-tables.ts";
import { CR, ESC, LF, SI, SO } from "./bytes.ts";
import { isLinked, linkState } from "./failure-links.ts";
import type { Needle } from "./needle.ts";
import { EscapeSequences } from "./prefilter.ts";

// Where the prefilter skips less than this, as among partial matches, it is not worth asking again soon.
const MIN_GAIN_BYTES = 16;
const FILTER_PAUSE_BYTES = 32;
// So many failure links are followed before it pays to remember where they lead.
const MAX_WALK = 16;

/** A place in a stream: the state before `index` of the chunk that is being read. */
export class Cursor {
  state = ROOT;
  index = 0;
  readonly escapes = new EscapeSequences();

  /** Goes to the beginning of another chunk. */
  begin(chunk: Buffer): void {
    this.index = 0;
    this.escapes.begin(chunk);
  }
}

// What the streams ask of the tables. It holds no state of a stream, so one automaton serves all of them.
export class Automaton {
  readonly #needles: readonly Needle[];
  readonly #tables: Tables;
  #shortest: Int32Array | undefined;
  /** Per state its longest suffix that is a prefix of a needle of a wrapping encoding, plus one; 0 until asked for. */
  #far: Int32Array | undefined;

  constructor(needles: readonly Needle[]) {
    this.#needles = needles;
    this.#tables = buildTables(needles);
  }

  /** Length of the partial match that a state stands for. */
  depth(state: number): number {
    return this.#tables.depth[state] as number;
  }

  step(from: number, byte: number): number {
    const state = step(this.#tables, from, byte);
    if (!isLinked(this.#tables, state)) linkState(this.#tables, state);
    return state;
  }

  /**
   * Reads on to the end of the chunk, or to behind a byte that completes a needle (then true), or to before a CR,
   * LF, ESC, SO or SI that may interrupt a needle (then false).
   */
  scan(cursor: Cursor, chunk: Buffer): boolean {
    const tables = this.#tables;
    const { rows, rowShift, classOf, denseCount, out, depth, prefilter, unbranched } = tables;
    const { edge, flags, fail } = tables;
    let { state, index } = cursor;
    let matched = false;
    let filterFrom = 0;
    while (index < chunk.length && !matched) {
      if (state >= denseCount) {
        for (;;) {
          const behind = endOfRun(unbranched, state, chunk, index);
          state += behind - index;
          index = behind;
          if (index === chunk.length) break;
          const byte = chunk[index] as number;
          if (byte <= ESC || edge[state] === byte || ((flags[state] as number) & BRANCHES) !== 0) break;
          state = fail[state] as number;
          if (state < denseCount) break;
        }
        if (index === chunk.length) break;
      } else if (prefilter !== undefined && index >= filterFrom) {
        const start = index - (depth[state] as number);
        const next = start < 0 ? index : prefilter.skip(chunk, start, cursor.escapes.next(start));
        filterFrom = next + (next - start < MIN_GAIN_BYTES ? FILTER_PAUSE_BYTES : 1);
        if (next > index) {
          index = next;
          state = ROOT;
          if (index === chunk.length) break;
        }
      }
      const byte = chunk[index] as number;
      if (byte <= ESC && state !== ROOT && this.#interrupts(chunk, index, state)) break;
      index++;
      if (state < denseCount) state = rows[(state << rowShift) | (classOf[byte] as number)] as number;
      else state = step(tables, state, byte);
      if (state >= denseCount) {
        if ((fail[state] as number) < 0) linkState(tables, state);
        matched = out[state] !== 0;
      }
    }
    cursor.state = state;
    cursor.index = index;
    return matched;
  }

  // Whether the byte is skipped in some reading, and the partial match may go on behind it. Most line ends can be told
  // from the next byte not to matter.
  #interrupts(chunk: Uint8Array, index: number, state: number): boolean {
    const byte = chunk[index];
    let next = index + 1;
    if (byte === CR && chunk[next] === LF) {
      if (this.depth(this.step(state, LF)) > 1) return true;
      next++;
    } else if (byte !== LF) {
      return byte === CR || byte === ESC || byte === SO || byte === SI;
    }
    const following = next < chunk.length ? (chunk[next] as number) : LF;
    if (following <= ESC) return true;
    return this.depth(this.wrappingPrefix(this.step(this.wrappingPrefix(state), following))) > 1;
  }

  /** The longest needle that ends in this state. */
  match(state: number): Needle | undefined {
    return this.#needle(this.#tables.out[state] as number);
  }

  wrappingMatch(state: number): Needle | undefined {
    const { out, wrappingOut } = this.#tables;
    return this.#needle(wrappingOut[out[state] as number] as number);
  }

  /** The longest suffix of the state that is a *proper* prefix of a needle: what may still become a match. */
  pending(from: number): number {
    const { flags, fail, denseCount } = this.#tables;
    let state = from;
    while (state >= denseCount && ((flags[state] as number) & (CONTINUES | BRANCHES)) === 0) {
      state = fail[state] as number;
    }
    return state;
  }

  /** The longest suffix of the state that is a prefix of a needle of a wrapping encoding. */
  wrappingPrefix(from: number): number {
    const { fail } = this.#tables;
    let state = from;
    for (let steps = 0; !this.#wraps(state); steps++) {
      if (steps === MAX_WALK) return this.#farWrappingPrefix(state);
      state = fail[state] as number;
    }
    return state;
  }

  #wraps(state: number): boolean {
    return state === ROOT || ((this.#tables.flags[state] as number) & IN_WRAPPING_NEEDLE) !== 0;
  }

  // A value that repeats itself has long ways to go, and a line end may ask for them each time: they are remembered.
  #farWrappingPrefix(from: number): number {
    this.#far ??= new Int32Array(this.#tables.fail.length);
    const far = this.#far;
    const passed: number[] = [];
    let state = from;
    while (!this.#wraps(state) && far[state] === 0) {
      passed.push(state);
      state = this.#tables.fail[state] as number;
    }
    const found = this.#wraps(state) ? state : (far[state] as number) - 1;
    for (const state of passed) far[state] = found + 1;
    return found;
  }

  /** The longest suffix of the state that is at least `minLength` bytes and at least half of a needle. */
  largePartial(from: number, minLength: number): { length: number; needle: Needle } | undefined {
    for (let state = from; this.depth(state) >= minLength; state = this.#tables.fail[state] as number) {
      const needle = this.#needle(this.#shortestNeedles()[state] as number);
      const length = this.depth(state);
      if (needle !== undefined && length * 2 >= needle.bytes.length) return { length, needle };
    }
    return undefined;
  }

  #needle(number: number): Needle | undefined {
    return number === 0 ? undefined : this.#needles[number - 1];
  }

  // Per sparse state the shortest needle that it is a prefix of. Only the end of a stream asks, and seldom, so the
  // table is made when first asked for. What hangs on a run was added after it: going backwards, children come first.
  #shortestNeedles(): Int32Array {
    if (this.#shortest !== undefined) return this.#shortest;
    const { runs, out, depth } = this.#tables;
    const shortest = new Int32Array(out.length);
    const size = (number: number): number => this.#needle(number)?.bytes.length ?? Number.POSITIVE_INFINITY;
    const offer = (state: number, number: number): void => {
      if (size(number) < size(shortest[state] as number)) shortest[state] = number;
    };
    for (let run = runs.count - 1; run >= 0; run--) {
      const head = runs.head[run] as number;
      for (let state = runs.last[run] as number; state >= head; state--) {
        const own = out[state] as number;
        if (size(own) === depth[state]) shortest[state] = own;
        offer(state > head ? state - 1 : (runs.parent[run] as number), shortest[state] as number);
      }
    }
    this.#shortest = shortest;
    return shortest;
  }
}

/** How far the chunk goes on as the states from this one on do, each with the next as its only way. */
function endOfRun(unbranched: Uint8Array, from: number, chunk: Uint8Array, start: number): number {
  let state = from;
  let index = start;
  for (; index < chunk.length; index++, state++) {
    const byte = chunk[index] as number;
    if (unbranched[state] !== byte || byte === 0) break;
  }
  return index;
}

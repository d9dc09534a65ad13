import type { Automaton } from "./automaton.ts";
import { ROOT } from "./automaton-tables.ts";

// A second reading of a stream, from which bytes that print nothing are left out ("skipped"). It has its own state
// of the automaton, and the positions of the bytes it has read, because skipped bytes make a match longer in the
// stream than the needle is.
//
// A lane is active only while it may see what the stream as it stands does not show: once the state is no longer
// than what was read since the last skipped byte, both readings agree.

// A few colour changes fit between two bytes. A run of them without end is let go: memory is bounded.
const MAX_SKIPPED_BYTES = 4096;
const MIN_TRIMMED = 4096;

export class Lane {
  readonly #automaton: Automaton;
  #state = ROOT;
  #readSinceSkip = 0;
  #skipped = 0;
  // Positions of the bytes read since the lane was opened; the bytes before `#origin` are contiguous.
  #positions: number[] = [];
  #origin = 0;
  #releasedTo = 0;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  get active(): boolean {
    return this.#state !== ROOT;
  }

  get state(): number {
    return this.#state;
  }

  /** Where the partial match starts in the stream. */
  get start(): number {
    return this.positionOf(this.#automaton.depth(this.#state));
  }

  /** From where on output has to be held back. */
  get heldFrom(): number {
    return Math.max(this.start, this.#releasedTo);
  }

  /** Behind the last byte that was read and not skipped. */
  get end(): number {
    return (this.#positions.at(-1) ?? this.#origin - 1) + 1;
  }

  /** Takes over a state that was reached by reading the stream as it stands, up to this position. */
  open(state: number, position: number): void {
    this.#state = state;
    this.#positions = [];
    this.#origin = position;
    this.#reset();
  }

  /** Takes over a state that another lane reached. */
  openFrom(lane: Lane, state: number): void {
    this.#state = state;
    this.#positions = lastOf(lane.#positions, this.#automaton.depth(state));
    this.#origin = lane.#origin;
    this.#reset();
  }

  close(): void {
    this.#state = ROOT;
  }

  skip(): void {
    this.#readSinceSkip = 0;
    if (++this.#skipped > MAX_SKIPPED_BYTES) this.close();
  }

  read(state: number, position: number): void {
    this.#state = state;
    this.#positions.push(position);
    this.#readSinceSkip++;
    this.#skipped = 0;
  }

  /** Goes to a shorter state, and closes where the stream as it stands shows that one too. */
  settle(state: number): void {
    const depth = this.#automaton.depth(state);
    this.#state = depth <= this.#readSinceSkip ? ROOT : state;
    if (this.#positions.length > MIN_TRIMMED && this.#positions.length > 2 * depth) {
      this.#positions = lastOf(this.#positions, depth);
    }
  }

  /** Lets what is held so far be written, without forgetting the state. */
  releaseTo(position: number): void {
    this.#releasedTo = position;
  }

  /** Where in the stream the last `length` bytes that were read begin. */
  positionOf(length: number): number {
    const index = this.#positions.length - length;
    return index < 0 ? this.#origin + index : (this.#positions[index] as number);
  }

  /**
   * Where the bytes of the partial match end that may be shown: `count` of them, those before `maskedTo` not counted.
   * Undefined where it has no more than that.
   */
  limitOf(count: number, maskedTo: number): number | undefined {
    let left = this.#automaton.depth(this.#state);
    while (left > 0 && this.positionOf(left) < maskedTo) left--;
    return left > count ? this.positionOf(left - count) : undefined;
  }

  #reset(): void {
    this.#readSinceSkip = 0;
    this.#skipped = 0;
    this.#releasedTo = 0;
  }
}

/** `slice(-0)` would be all of them. */
function lastOf(positions: readonly number[], count: number): number[] {
  return positions.slice(Math.max(0, positions.length - count));
}

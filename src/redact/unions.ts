import type { MaskedSecret, Needle } from "./needle.ts";

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A range of the stream that overlapping or touching matches cover; one mask replaces it. */
export interface Union {
  start: number;
  end: number;
  /** Of the match that starts first: it names the mask. */
  first: Needle;
  /** For each secret that is in the range the match that starts first. */
  readonly secrets: Map<MaskedSecret, { start: number; needle: Needle }>;
  /** Escape sequences in the range. They follow the mask: a terminal has to be told that red ends. */
  readonly sequences: Range[];
}

// The unions that have not been written yet, in order. Matches come in the order in which they end.
export class Unions {
  #pending: Union[] = [];

  add(start: number, end: number, needle: Needle, sequences: readonly Range[] = []): void {
    const union = this.#open(start, end, needle);
    union.end = Math.max(union.end, end);
    // Of two that start at the same place the one that was complete first: its mask may have been printed by then.
    if (start < union.start) {
      union.start = start;
      union.first = needle;
    }
    for (const sequence of sequences) union.sequences.push(sequence);
    note(union, start, needle);
  }

  /** Removes and returns the unions that start at or before this position. */
  takeTo(position: number): Union[] {
    let count = 0;
    for (const { start } of this.#pending) {
      if (start > position) break;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  // The pending unions that the range reaches, made one; or a new one.
  #open(start: number, end: number, needle: Needle): Union {
    let union: Union | undefined;
    for (
      let last = this.#pending.at(-1);
      last !== undefined && last.end >= start;
      last = this.#pending.at(-1)
    ) {
      this.#pending.pop();
      if (union !== undefined) absorb(last, union);
      union = last;
    }
    union ??= { start, end, first: needle, secrets: new Map(), sequences: [] };
    this.#pending.push(union);
    return union;
  }
}

function absorb(union: Union, later: Union): void {
  for (const { start, needle } of later.secrets.values()) note(union, start, needle);
  for (const sequence of later.sequences) union.sequences.push(sequence);
}

function note({ secrets }: Union, start: number, needle: Needle): void {
  const known = secrets.get(needle.secret);
  if (known === undefined || start < known.start) secrets.set(needle.secret, { start, needle });
}

import type { EdgeTable } from "./edge-table.ts";
import type { Prefilter } from "./prefilter.ts";

// The tables of an Aho–Corasick automaton over bytes. A state is the longest suffix of the input that is a
// prefix of a needle; 0 is the root.
//
// Memory decides the layout, because a thousand secrets in all their encodings make some 400,000 states:
//  - States near the root are *dense*. They have the lowest numbers and a row of complete transitions each, one
//    column per byte that leads on from one of them and one for all others.
//  - All other states are *sparse*. A needle adds one run of consecutive states, so the usual edge leads to the
//    next number and only its byte is stored. Where a needle branches off it adds one edge to a hash table.
//    What has no edge follows the failure link, which leads to a shorter state: at most two steps a byte, amortised.
//    Links are made when states are first reached (failure-links.ts).
//  - `out` holds the longest needle that ends in a state. Shorter ones that end there lie inside it, and what is
//    masked is the union, so no list of them is kept.
//
// Needles are numbered from 1 in the tables, so that 0 can stand for none.

export const ROOT = 0;
export const CONTINUES = 1;
export const BRANCHES = 2;
export const IN_WRAPPING_NEEDLE = 4;

/** Numbers, in as few bytes as the largest of them needs. */
type Numbers = Uint16Array | Int32Array;

export interface Tables {
  readonly classOf: Uint8Array;
  readonly rowShift: number;
  readonly rows: Int32Array;
  readonly denseCount: number;
  /** The byte that leads to the next state, where the flag CONTINUES is set. */
  readonly edge: Uint8Array;
  readonly branches: EdgeTable;
  readonly flags: Uint8Array;
  readonly fail: Int32Array;
  readonly depth: Numbers;
  readonly out: Numbers;
  /** Per needle: the longest needle of a wrapping encoding that is a suffix of it. */
  readonly wrappingOut: Int32Array;
  readonly runs: Runs;
  /** Absent where needles are too short for it. */
  readonly prefilter: Prefilter | undefined;
  /** The byte of `edge` where nothing but the next state comes of it: no match, and no byte that may interrupt. Else 0. */
  readonly unbranched: Uint8Array;
}

/** What each needle added: the states `head` to `last`, each the child of the one before it, below `parent`. */
export interface Runs {
  count: number;
  readonly parent: Int32Array;
  readonly byte: Uint8Array;
  readonly head: Int32Array;
  readonly last: Int32Array;
}

/** The needles' bytes one behind the other, and where each begins; the last number is where the last one ends. */
export interface Texts {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly shortest: number;
  readonly longest: number;
}

export function step(tables: Tables, from: number, byte: number): number {
  const { denseCount, edge, flags, fail } = tables;
  let state = from;
  while (state >= denseCount) {
    const flag = flags[state] as number;
    if (edge[state] === byte && (flag & CONTINUES) !== 0) return state + 1;
    if ((flag & BRANCHES) !== 0) {
      const to = tables.branches.get(state, byte);
      if (to !== ROOT) return to;
    }
    state = fail[state] as number;
  }
  return tables.rows[(state << tables.rowShift) | (tables.classOf[byte] as number)] as number;
}

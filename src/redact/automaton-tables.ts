import { ESC } from "./bytes.ts";
import { EdgeTable } from "./edge-table.ts";
import { type Needle, wraps } from "./needle.ts";
import { Prefilter } from "./prefilter.ts";

// Builds the tables of an Aho–Corasick automaton over bytes. A state is the longest suffix of the input that is a
// prefix of a needle; 0 is the root.
//
// Memory decides the layout, because a thousand secrets in all their encodings make some 400,000 states:
//  - States near the root are *dense*. They have the lowest numbers and a row of complete transitions each, one
//    column per byte that leads on from one of them and one for all others.
//  - All other states are *sparse*. A needle adds one run of consecutive states, so the usual edge leads to the
//    next number and only its byte is stored. Where a needle branches off it adds one edge to a hash table.
//    What has no edge follows the failure link, which leads to a shorter state: at most two steps a byte, amortised.
//  - `out` holds the longest needle that ends in a state. Shorter ones that end there lie inside it, and what is
//    masked is the union, so no list of them is kept.
//
// Needles are numbered from 1 in the tables, so that 0 can stand for none.

export const ROOT = 0;
export const CONTINUES = 1;
export const BRANCHES = 2;
export const IN_WRAPPING_NEEDLE = 4;

const MAX_ROW_ENTRIES = 1 << 19;
const MAX_DENSE_DEPTH = 2;

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
interface Runs {
  count: number;
  readonly parent: Int32Array;
  readonly byte: Uint8Array;
  readonly head: Int32Array;
  readonly last: Int32Array;
  readonly depth: Int32Array;
}

interface DenseState {
  readonly parent: number;
  readonly byte: number;
}

/** The needles' bytes one behind the other, and where each begins; the last number is where the last one ends. */
export interface Texts {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly shortest: number;
  readonly longest: number;
}

export function buildTables(needles: readonly Needle[]): Tables {
  const texts = textsOf(needles);
  const { bytes, starts, longest } = texts;

  const { classOf, classCount } = classesOf(texts);
  const rowShift = Math.ceil(Math.log2(classCount));
  const dense = denseStates(texts, rowShift);
  const capacity = dense.length + bytes.length;
  const tables: Tables = {
    classOf,
    rowShift,
    rows: new Int32Array(dense.length << rowShift),
    denseCount: dense.length,
    edge: new Uint8Array(capacity),
    branches: new EdgeTable(needles.length),
    flags: new Uint8Array(capacity),
    fail: new Int32Array(capacity),
    depth: longest < 0x10000 ? new Uint16Array(capacity) : new Int32Array(capacity),
    out: needles.length < 0x10000 ? new Uint16Array(capacity) : new Int32Array(capacity),
    wrappingOut: new Int32Array(needles.length + 1),
    runs: {
      count: 0,
      parent: new Int32Array(needles.length),
      byte: new Uint8Array(needles.length),
      head: new Int32Array(needles.length),
      last: new Int32Array(needles.length),
      depth: new Int32Array(needles.length),
    },
    prefilter: Prefilter.of(texts),
    unbranched: new Uint8Array(capacity),
  };
  for (const [state, { parent, byte }] of dense.entries()) {
    if (state === ROOT) continue;
    tables.rows[(parent << rowShift) | (classOf[byte] as number)] = state;
    tables.depth[state] = (tables.depth[parent] as number) + 1;
  }

  let next = dense.length;
  for (let index = 0; index < needles.length; index++) {
    const flag = wraps((needles[index] as Needle).encoding) ? IN_WRAPPING_NEEDLE : 0;
    next = insert(tables, bytes, starts[index] as number, starts[index + 1] as number, index + 1, flag, next);
  }
  completeRows(tables, dense);
  linkFailures(tables);
  return trim(tables, next);
}

function textsOf(needles: readonly Needle[]): Texts {
  const starts = new Int32Array(needles.length + 1);
  let shortest = Number.POSITIVE_INFINITY;
  let longest = 0;
  for (let index = 0; index < needles.length; index++) {
    const { length } = (needles[index] as Needle).bytes;
    longest = Math.max(longest, length);
    starts[index + 1] = (starts[index] as number) + length;
    shortest = Math.min(shortest, length);
  }
  const bytes = Buffer.from(needles.map((needle) => needle.bytes).join(""), "latin1");
  return { bytes, starts, shortest, longest };
}

/** Without the room that was kept for states which needles turned out to share. */
function trim(tables: Tables, count: number): Tables {
  const { edge, flags, fail, depth, out, unbranched } = tables;
  if (count === edge.length) return tables;
  return {
    ...tables,
    edge: edge.slice(0, count),
    flags: flags.slice(0, count),
    fail: fail.slice(0, count),
    depth: depth.slice(0, count),
    out: out.slice(0, count),
    unbranched: unbranched.slice(0, count),
  };
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

// Only the first bytes of needles lead on from dense states.
function classesOf({ bytes, starts }: Texts): { classOf: Uint8Array; classCount: number } {
  const used = new Uint8Array(256);
  for (let index = 0; index < starts.length - 1; index++) {
    const end = Math.min((starts[index] as number) + MAX_DENSE_DEPTH + 1, starts[index + 1] as number);
    for (let i = starts[index] as number; i < end; i++) used[bytes[i] as number] = 1;
  }
  let classCount = 0;
  const classOf = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) if (used[byte] === 1) classOf[byte] = classCount++;
  if (classCount < 256) {
    for (let byte = 0; byte < 256; byte++) if (used[byte] === 0) classOf[byte] = classCount;
    classCount++;
  }
  return { classOf, classCount };
}

// The root, and the prefixes of one and two bytes as far as their rows fit. Only proper prefixes: no needle ends
// in a dense state, so the scan need not look for one there.
function denseStates({ bytes, starts, shortest }: Texts, rowShift: number): DenseState[] {
  const states: DenseState[] = [{ parent: ROOT, byte: 0 }];
  const count = starts.length - 1;
  if (count === 0 || shortest < 2) return states;

  const first = new Int32Array(256);
  for (let index = 0; index < count; index++) {
    const byte = bytes[starts[index] as number] as number;
    if (first[byte] === 0) first[byte] = states.push({ parent: ROOT, byte }) - 1;
  }
  if (shortest < 3) return states;

  const seen = new Uint8Array(1 << 16);
  const second: DenseState[] = [];
  for (let index = 0; index < count; index++) {
    const start = starts[index] as number;
    const before = bytes[start] as number;
    const byte = bytes[start + 1] as number;
    const pair = (before << 8) | byte;
    if (seen[pair] === 1) continue;
    seen[pair] = 1;
    second.push({ parent: first[before] as number, byte });
  }
  const fits = (states.length + second.length) << rowShift <= MAX_ROW_ENTRIES;
  return fits ? states.concat(second) : states;
}

/** Adds the needle at `start` to `end`, its new states from `next` on, and returns the number after them. */
function insert(
  tables: Tables,
  bytes: Uint8Array,
  start: number,
  end: number,
  number: number,
  flag: number,
  next: number,
): number {
  const { edge, flags, depth, out, unbranched, wrappingOut } = tables;
  let state = ROOT;
  let at = start;
  for (; at < end; at++) {
    const child = childOf(tables, state, bytes[at] as number);
    if (child === ROOT) break;
    state = child;
    (flags[state] as number) |= flag;
  }

  let added = next;
  if (at < end) {
    branch(tables, state, bytes[at] as number, next, next + end - at - 1, at - start + 1);
    for (at++; at < end; at++, added++) {
      const byte = bytes[at] as number;
      edge[added] = byte;
      if (byte > ESC) unbranched[added] = byte;
      flags[added] = flag | CONTINUES;
      depth[added] = at - start;
    }
    flags[added] = flag;
    depth[added] = end - start;
    state = added++;
  }

  // The first needle of these bytes keeps the state, but it wraps if any of them does.
  if (out[state] === 0) out[state] = number;
  if (flag !== 0) wrappingOut[out[state] as number] = out[state] as number;
  return added;
}

function childOf(tables: Tables, state: number, byte: number): number {
  if (state < tables.denseCount) {
    return tables.rows[(state << tables.rowShift) | (tables.classOf[byte] as number)] as number;
  }
  const flag = tables.flags[state] as number;
  if (tables.edge[state] === byte && (flag & CONTINUES) !== 0) return state + 1;
  return (flag & BRANCHES) === 0 ? ROOT : tables.branches.get(state, byte);
}

function branch(
  tables: Tables,
  parent: number,
  byte: number,
  head: number,
  last: number,
  depth: number,
): void {
  const { classOf, rowShift, rows, denseCount, branches, flags, runs } = tables;
  if (parent < denseCount) {
    rows[(parent << rowShift) | (classOf[byte] as number)] = head;
  } else {
    branches.set(parent, byte, head);
    (flags[parent] as number) |= BRANCHES;
  }
  const run = runs.count++;
  runs.parent[run] = parent;
  runs.byte[run] = byte;
  runs.head[run] = head;
  runs.last[run] = last;
  runs.depth[run] = depth;
}

// A dense state's failure link is dense and has a lower number, so its row is complete by then.
function completeRows({ rows, rowShift, classOf, fail }: Tables, dense: readonly DenseState[]): void {
  const columns = 1 << rowShift;
  for (let state = ROOT + 1; state < dense.length; state++) {
    const { parent, byte } = dense[state] as DenseState;
    const link = parent === ROOT ? ROOT : (rows[classOf[byte] as number] as number);
    fail[state] = link;
    const row = state << rowShift;
    const linkRow = link << rowShift;
    for (let column = 0; column < columns; column++) {
      if (rows[row + column] === ROOT) rows[row + column] = rows[linkRow + column] as number;
    }
  }
}

// A state's link is found by way of its parent's and depends on the links of shallower states only. Going through all
// runs depth by depth would touch all of memory for each depth. As most links lead near the root, each run is followed
// instead for as long as they lead above `linked`, the depth down to which every state has its link by now.
function linkFailures(tables: Tables): void {
  const { depth, runs } = tables;
  const waiting = runsByDepth(runs);
  const next = runs.head.slice();
  let active: number[] = [];
  let linked = depth[tables.denseCount - 1] as number;
  const nextDepth = (): number => runs.depth[waiting.at(-1) ?? -1] ?? Number.POSITIVE_INFINITY;
  while (active.length > 0 || waiting.length > 0) {
    while (nextDepth() <= linked + 1) active.push(waiting.pop() as number);
    let least = nextDepth() - 1;
    active = active.filter((run) => {
      const state = linkRun(tables, run, next[run] as number, linked);
      next[run] = state;
      if (state > (runs.last[run] as number)) return false;
      least = Math.min(least, (depth[state] as number) - 1);
      return true;
    });
    linked = least;
  }
}

/** Links the states of a run from `from` on, for as long as that takes no link that is not there yet. */
function linkRun(tables: Tables, run: number, from: number, linked: number): number {
  const { rows, rowShift, classOf, denseCount, edge, fail, depth, out, unbranched, wrappingOut, runs } =
    tables;
  const head = runs.head[run] as number;
  const last = runs.last[run] as number;
  const begins = from === head;
  const parent = begins ? (runs.parent[run] as number) : from - 1;
  let byte = (begins ? runs.byte[run] : edge[parent]) as number;
  let link = fail[parent] as number;
  let state = from;
  if (parent === ROOT) {
    // Its link is the root, and so it stays.
    byte = edge[state] as number;
    link = ROOT;
    state++;
  }
  for (; state <= last && (depth[link] as number) <= linked; state++) {
    const to =
      link < denseCount
        ? (rows[(link << rowShift) | (classOf[byte] as number)] as number)
        : step(tables, link, byte);
    // What ends there too must be known.
    if ((depth[to] as number) > linked) break;
    link = to;
    fail[state] = link;
    const own = out[state] as number;
    const inherited = out[link] as number;
    if ((own !== 0 || inherited !== 0) && state > head) unbranched[state - 1] = 0;
    if (own === 0) out[state] = inherited;
    else if (wrappingOut[own] === 0) wrappingOut[own] = wrappingOut[inherited] as number;
    byte = edge[state] as number;
  }
  return state;
}

/** The runs, those that begin deepest first. */
function runsByDepth({ count, depth }: Runs): number[] {
  const starting = Array.from({ length: count }, (_, run) => run);
  return starting.sort((a, b) => (depth[b] as number) - (depth[a] as number));
}

import {
  BRANCHES,
  CONTINUES,
  IN_WRAPPING_NEEDLE,
  ROOT,
  type Tables,
  type Texts,
} from "./automaton-tables.ts";
import { EdgeTable } from "./edge-table.ts";
import { unlinkedHead } from "./failure-links.ts";
import { type Needle, wraps } from "./needle.ts";
import { Prefilter } from "./prefilter.ts";

const MAX_ROW_ENTRIES = 1 << 19;
const MAX_DENSE_DEPTH = 2;
// What is less than that used is worth the time of a copy.
const MIN_USED = 0.75;

interface DenseState {
  readonly parent: number;
  readonly byte: number;
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
    fail: new Int32Array(capacity).fill(-1),
    depth: longest < 0x10000 ? new Uint16Array(capacity) : new Int32Array(capacity),
    out: needles.length < 0x10000 ? new Uint16Array(capacity) : new Int32Array(capacity),
    wrappingOut: new Int32Array(needles.length + 1),
    runs: {
      count: 0,
      parent: new Int32Array(needles.length),
      byte: new Uint8Array(needles.length),
      head: new Int32Array(needles.length),
      last: new Int32Array(needles.length),
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
  if (count > edge.length * MIN_USED) return tables;
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
  const { edge, flags, depth, out, wrappingOut } = tables;
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
    branch(tables, state, bytes[at] as number, next, next + end - at - 1);
    for (at++; at < end; at++, added++) {
      const byte = bytes[at] as number;
      edge[added] = byte;
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

function branch(tables: Tables, parent: number, byte: number, head: number, last: number): void {
  const { classOf, rowShift, rows, denseCount, branches, flags, fail, runs } = tables;
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
  fail[head] = unlinkedHead(run);
}

// A dense state's failure link is dense and has a lower number, so its row is complete by then.
function completeRows({ rows, rowShift, classOf, fail }: Tables, dense: readonly DenseState[]): void {
  const columns = 1 << rowShift;
  fail[ROOT] = ROOT;
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

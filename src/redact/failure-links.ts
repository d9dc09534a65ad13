import { CONTINUES, ROOT, step, type Tables } from "./automaton-tables.ts";
import { ESC } from "./bytes.ts";

// A state's failure link leads to its longest suffix that is a prefix of a needle. It is made when the state is first
// reached: text reaches few of the states there are, and a launch does not wait for the others. With its link a state
// learns what else ends in it (`out`, `wrappingOut`), and whether the way to it may be followed blindly (`unbranched`).
//
// What is linked has a link that is linked, so the way down the links is always there.

/** Of a state that is not linked and is not the first one of its run: its parent is the state before it. */
const UNLINKED = -1;

/** What stands for the link of a run's first state, which does not follow its parent. */
export function unlinkedHead(run: number): number {
  return UNLINKED - 1 - run;
}

export function isLinked({ fail }: Tables, state: number): boolean {
  return (fail[state] as number) >= 0;
}

/** Links a state that is reached by its parent's edge. */
export function linkState(tables: Tables, reached: number): void {
  const { fail, denseCount } = tables;
  // What a link needs first is on top. Not a recursion: a value may repeat itself a million times.
  const waiting = [reached];
  for (let state = reached; ; ) {
    const { parent, byte } = originOf(tables, state);
    const isParentLinked = parent < denseCount || isLinked(tables, parent);
    const link = isParentLinked ? linkOf(tables, parent, byte) : parent;
    if (link >= denseCount && !isLinked(tables, link)) {
      waiting.push(link);
    } else {
      fail[state] = link;
      inherit(tables, state, link);
      waiting.pop();
      if (waiting.length === 0) return;
    }
    state = waiting[waiting.length - 1] as number;
  }
}

function originOf({ fail, edge, runs }: Tables, state: number): { parent: number; byte: number } {
  const code = fail[state] as number;
  if (code === UNLINKED) return { parent: state - 1, byte: edge[state - 1] as number };
  const run = UNLINKED - 1 - code;
  return { parent: runs.parent[run] as number, byte: runs.byte[run] as number };
}

function linkOf(tables: Tables, parent: number, byte: number): number {
  return parent === ROOT ? ROOT : step(tables, tables.fail[parent] as number, byte);
}

function inherit(
  { edge, flags, out, wrappingOut, unbranched, denseCount }: Tables,
  state: number,
  link: number,
): void {
  const own = out[state] as number;
  const inherited = out[link] as number;
  if (own === 0) out[state] = inherited;
  else if (wrappingOut[own] === 0) wrappingOut[own] = wrappingOut[inherited] as number;
  const before = state - 1;
  const follows = before >= denseCount && ((flags[before] as number) & CONTINUES) !== 0;
  if (follows && out[state] === 0 && (edge[before] as number) > ESC)
    unbranched[before] = edge[before] as number;
}

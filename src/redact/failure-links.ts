import { ROOT, type Runs, step, type Tables } from "./automaton-tables.ts";

// A state's link is found by way of its parent's and depends on the links of shallower states only. Going through all
// runs depth by depth would touch all of memory for each depth. As most links lead near the root, each run is followed
// instead for as long as they lead above `linked`, the depth down to which every state has its link by now.
export function linkFailures(tables: Tables): void {
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

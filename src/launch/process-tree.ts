import { readdirSync } from "node:fs";
import { statFields } from "./process-stat.ts";
import { send } from "./signals.ts";

/**
 * Kills a process and all that descend from it. Each is stopped as it is found, so that none can start another one
 * unseen; what left the family before (its parent ended) is not found.
 */
export function killTree(root: number): void {
  const found = new Set([root]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const pid of found) send(pid, "SIGSTOP");
    const children = childrenByParent();
    for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  }
  for (const pid of found) send(pid, "SIGKILL");
}

/** A process's children, the eldest first. */
export function childrenOf(pid: number): number[] {
  return childrenByParent().get(pid) ?? [];
}

/** The one-letter state of a process (proc(5): `T` is stopped), undefined where there is none. */
export function stateOf(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(statFields(pid)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

import { readdirSync, readFileSync } from "node:fs";
import { sleep } from "../vault/time.ts";
import { systemCode } from "../vault-error.ts";
import { statFields } from "./process-stat.ts";
import { send } from "./signals.ts";

const KILL_POLL_MS = 5;
const MAX_KILL_POLLS = 400;

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

/**
 * Kills what is left of a program that has ended or is to end: its process group and session, and whatever has `mark` in
 * the environment it was started with, wherever it has gone since.
 */
export async function killRest(leader: number, mark: string): Promise<void> {
  let found = restOf(leader, mark);
  for (let polls = 0; found.length > 0 && polls < MAX_KILL_POLLS; polls++) {
    // Stopped first: what starts others faster than they are found would go on for ever.
    for (const pid of found) send(pid, "SIGSTOP");
    for (const pid of new Set([...found, ...restOf(leader, mark)])) send(pid, "SIGKILL");
    await sleep(KILL_POLL_MS);
    found = restOf(leader, mark);
  }
}

function restOf(leader: number, mark: string): number[] {
  return processes().filter((pid) => {
    if (pid === process.pid) return false;
    // What a killed process leaves until its parent looks (`Z`) can do nothing more.
    const [state, , group, session] = statFields(pid) ?? [];
    if (state === undefined || state === "Z" || state === "X") return false;
    return group === `${leader}` || session === `${leader}` || hasInEnvironment(pid, mark);
  });
}

function hasInEnvironment(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
  } catch {
    // It has ended, or is another user's.
    return false;
  }
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
  for (const pid of processes()) {
    const parent = Number(statFields(pid)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

/** None where there is no /proc. */
function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

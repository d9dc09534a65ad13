import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { sleep } from "../vault/time.ts";
import { systemCode } from "../vault-error.ts";
import { identify, isThere, type Process, statFields } from "./process-stat.ts";
import { send } from "./signals.ts";

// The number of a process that has ended belongs to the next that is given it. Node waits for a child of ours the moment
// before it says that it has ended, so until then the number is the child's; every other process is looked at again right
// before it is sent a signal.

const KILL_POLL_MS = 5;
const MAX_KILL_POLLS = 400;

/** Whether node has not waited for it yet. */
export function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Sends a signal to a process found before, or to the group that it leads, if it is still that one. */
export function sendTo(found: Process, signal: NodeJS.Signals, to: "process" | "group" = "process"): void {
  if (isThere(found)) send(to === "group" ? -found.pid : found.pid, signal);
}

/**
 * Kills a child of ours and all that descend from it. Each is stopped as it is found, so that none can start another one
 * unseen; what left the family before (its parent ended) is not found, so nothing is once the child has ended.
 */
export function killTree(root: ChildProcess): void {
  if (root.pid === undefined || !isRunning(root)) return;
  const found = new Map([[root.pid, identify(root.pid)]]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const one of found.values()) sendTo(one, "SIGSTOP");
    const children = childrenByParent();
    for (const { pid } of found.values())
      for (const child of children.get(pid) ?? []) if (!found.has(child.pid)) found.set(child.pid, child);
  }
  for (const one of found.values()) sendTo(one, "SIGKILL");
}

/**
 * Kills what is left of a program that has ended and was waited for: its process group and session, and whatever has
 * `mark` in the environment it was started with, wherever it has gone since.
 */
export async function killRest(leader: number, mark: string): Promise<void> {
  const rest = new Rest(leader, mark);
  let found = rest.find();
  for (let polls = 0; found.length > 0 && polls < MAX_KILL_POLLS; polls++) {
    // Stopped first: what starts others faster than they are found would go on for ever.
    for (const one of found) sendTo(one, "SIGSTOP");
    for (const one of [...found, ...rest.find()]) sendTo(one, "SIGKILL");
    await sleep(KILL_POLL_MS);
    found = rest.find();
  }
}

class Rest {
  readonly #leader: number;
  readonly #mark: string;
  #isGroupOurs = true;

  constructor(leader: number, mark: string) {
    this.#leader = leader;
    this.#mark = mark;
  }

  find(): Process[] {
    const all = processes();
    const isInGroup = ({ group, session }: Found) => group === this.#leader || session === this.#leader;
    // The kernel gives nobody the leader's number while one is left in its group or session. Once none is, or there is a
    // process of that number again, both may be someone else's.
    if (!all.some(isInGroup) || all.some(({ pid }) => pid === this.#leader)) this.#isGroupOurs = false;
    return all.filter((found) => {
      // What a killed process leaves until its parent looks (`Z`) can do nothing more.
      if (found.pid === process.pid || found.state === "Z" || found.state === "X") return false;
      return (this.#isGroupOurs && isInGroup(found)) || hasInEnvironment(found.pid, this.#mark);
    });
  }
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
export function childrenOf(pid: number): Process[] {
  return childrenByParent().get(pid) ?? [];
}

/** The one-letter state of a process (proc(5): `T` is stopped), undefined where there is none. */
export function stateOf(pid: number): string | undefined {
  return statFields(pid)?.[0];
}

function childrenByParent(): Map<number, Process[]> {
  const children = new Map<number, Process[]>();
  for (const found of processes()) children.set(found.parent, [...(children.get(found.parent) ?? []), found]);
  return children;
}

interface Found extends Process {
  readonly state: string | undefined;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** None where there is no /proc. */
function processes(): Found[] {
  return numbers().flatMap((pid) => {
    const fields = statFields(pid);
    if (fields === undefined) return [];
    const [state, parent, group, session] = fields;
    return [
      {
        ...identify(pid, fields),
        state,
        parent: Number(parent),
        group: Number(group),
        session: Number(session),
      },
    ];
  });
}

function numbers(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

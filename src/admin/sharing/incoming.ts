import { findWriter, WRITER_REFS, type Writer } from "../../audit/writer.ts";
import type { Plumbing } from "../../git/plumbing.ts";
import { fetchObjects, isBefore, isCommit, listRefs, listRemoteRefs, moveRef } from "../../git/refs.ts";
import { digest } from "../../vault/fingerprint.ts";
import { readGrowth } from "./growth.ts";
import { lineDigests, logLines } from "./log-files.ts";
import { type Lost, LostLines } from "./lost-lines.ts";

// What another repository has of the writers' logs, compared with what this one had of them. A log only ever grows: where it
// did anything else, what is here stays as it is, since it is what tells.

export interface Arrival {
  readonly ref: string;
  readonly writer: Writer;
  /** What the other repository has. */
  readonly remote: string | undefined;
  /** What there is of it here now; undefined where there is nothing. */
  readonly held: string | undefined;
  /** How many lines came. */
  readonly lines: number;
  readonly finding: ArrivalFinding | undefined;
}

export type ArrivalFinding =
  /** The other repository has only the beginning of what is here, or nothing. */
  | { readonly kind: "shortened"; readonly lost: Lost }
  /** It has something else in place of what is here. */
  | { readonly kind: "rewritten"; readonly lost: Lost }
  /** A commit there, or what the ref names instead of one, does anything but add lines. What is before it was taken. */
  | { readonly kind: "broken"; readonly commit: string };

/** Brings what has grown of the wanted writers' logs. */
export async function takeIncoming(
  plumbing: Plumbing,
  remote: string,
  isWanted: (ref: string) => boolean,
): Promise<Arrival[]> {
  const there = await listRemoteRefs(plumbing, remote, WRITER_REFS);
  const here = await listRefs(plumbing, WRITER_REFS);
  const refs = [...new Set([...there.keys(), ...here.keys()])].filter(
    (ref) => findWriter(ref) !== undefined && isWanted(ref),
  );
  const news = refs.filter((ref) => there.has(ref) && there.get(ref) !== here.get(ref));
  await fetchObjects(plumbing, remote, news);
  const arrivals: Arrival[] = [];
  for (const ref of refs.toSorted())
    arrivals.push(await takeOne(plumbing, ref, here.get(ref), there.get(ref)));
  return arrivals;
}

async function takeOne(
  plumbing: Plumbing,
  ref: string,
  before: string | undefined,
  remote: string | undefined,
): Promise<Arrival> {
  const writer = findWriter(ref) as Writer;
  const arrival = { ref, writer, remote, held: before, lines: 0, finding: undefined };
  if (before === remote) return arrival;
  if (remote !== undefined && !(await isCommit(plumbing, remote)))
    return { ...arrival, finding: { kind: "broken", commit: remote } };
  if (before !== undefined) {
    const isShort = remote === undefined || (await isBefore(plumbing, remote, before));
    if (isShort || !(await isBefore(plumbing, before, remote))) {
      const lost = await linesLost(plumbing, before, remote);
      return { ...arrival, finding: { kind: isShort ? "shortened" : "rewritten", lost } };
    }
  }
  const { good, lines, broken } = await readGrowth(plumbing, before, remote as string);
  if (good !== undefined && good !== before && plumbing.canKeep) await moveRef(plumbing, ref, good, before);
  const finding = broken === undefined ? undefined : ({ kind: "broken", commit: broken } as const);
  return { ...arrival, held: good, lines, finding };
}

/** The lines of one commit's log that another's has not. */
async function linesLost(plumbing: Plumbing, before: string, after: string | undefined): Promise<Lost> {
  const kept = await lineDigests(plumbing, after);
  const lost = new LostLines();
  for await (const lines of logLines(plumbing, before))
    for (const line of lines) if (!kept.has(digest(line))) lost.add(line);
  return lost;
}

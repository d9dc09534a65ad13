import { linesOf } from "../../audit/blocks.ts";
import type { Plumbing } from "../../git/plumbing.ts";
import { digest } from "../../vault/fingerprint.ts";

// A writer's ref: a chain of commits, each of which adds lines. Its tree has the files 000000.jsonl, 000001.jsonl, …, of which
// the last one grows until it has FULL_BYTES, and the others stay as they are.

export const FULL_BYTES = 1024 * 1024;
const NAME_DIGITS = 6;
const LINE_FEED = 0x0a;

export interface LogFile {
  readonly name: string;
  readonly blob: string;
}

export function logFileName(index: number): string {
  return `${String(index).padStart(NAME_DIGITS, "0")}.jsonl`;
}

/** The files of a log, in order. */
export async function readLogFiles(plumbing: Plumbing, commit: string): Promise<LogFile[]> {
  const entries = (await plumbing.read(["ls-tree", "-z", "--full-tree", commit])).split("\0");
  const blobs = new Map(
    entries.flatMap((entry) => {
      const [, blob, name] = /^100(?:644|755) blob ([0-9a-f]+)\t(.+)$/s.exec(entry) ?? [];
      return blob === undefined || name === undefined ? [] : [[name, blob] as const];
    }),
  );
  const files: LogFile[] = [];
  for (let blob = blobs.get(logFileName(0)); blob !== undefined; blob = blobs.get(logFileName(files.length)))
    files.push({ name: logFileName(files.length), blob });
  return files;
}

/** The bytes of a log, a file at a time. Between two of them nothing runs and nothing is held. */
export async function* logChunks(plumbing: Plumbing, commit: string): AsyncGenerator<Buffer> {
  for (const { blob } of await readLogFiles(plumbing, commit))
    for await (const bytes of plumbing.blobs([blob])) if (bytes !== undefined) yield bytes;
}

/** The lines of a log, those of a file at a time. */
export async function* logLines(plumbing: Plumbing, commit: string | undefined): AsyncGenerator<Buffer[]> {
  if (commit === undefined) return;
  for await (const bytes of logChunks(plumbing, commit))
    yield linesOf(bytes).filter((line) => line.length > 0);
}

export async function lineDigests(plumbing: Plumbing, commit: string | undefined): Promise<Set<string>> {
  const digests = new Set<string>();
  for await (const lines of logLines(plumbing, commit)) for (const line of lines) digests.add(digest(line));
  return digests;
}

export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}

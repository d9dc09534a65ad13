import { readHistory, type Version } from "../../git/history.ts";
import type { Plumbing } from "../../git/plumbing.ts";
import { countLines, FULL_BYTES, logFileName, readLogFiles } from "./log-files.ts";

// What may be added to a log: commits in one line, each of which lets the last file grow by whole lines until it is full, or
// begins the next. A commit that takes something away is a finding even where git would fast-forward to it.

const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

export interface Growth {
  /** The last commit up to which lines were only added; undefined where the very first one is no log's. */
  readonly good: string | undefined;
  /** How many lines came up to it. */
  readonly lines: number;
  /** The commit behind it, which does something else; undefined where there is none. */
  readonly broken: string | undefined;
}

/** @param from a commit before `to` that is known to be a log's. */
export async function readGrowth(plumbing: Plumbing, from: string | undefined, to: string): Promise<Growth> {
  const line = await readLine(plumbing, from, to);
  if (line.end === from) return { good: from, lines: 0, broken: line.broken };
  const versions = await readHistory(plumbing, range(from, line.end as string), ["."]);
  const commits = [...Map.groupBy(versions, ({ commit }) => commit)].toReversed();
  const contents = plumbing.blobs(
    commits.flatMap(([, changes]) => changes.flatMap(({ blob }) => blob ?? [])),
  );
  const log = await GrowingLog.open(plumbing, from);
  let [good, lines] = [from, 0];
  try {
    for (const [commit, changes] of commits) {
      let added = 0;
      for (const change of changes) {
        const grown = log.grow(change, change.blob === undefined ? undefined : (await contents.next()).value);
        if (grown === undefined) return { good, lines, broken: commit };
        added += grown;
      }
      [good, lines] = [commit, lines + added];
    }
  } finally {
    await contents.return(undefined);
  }
  return { good: line.end, lines, broken: line.broken };
}

/** How far commits stand one behind the other, and the first that does not. */
async function readLine(
  plumbing: Plumbing,
  from: string | undefined,
  to: string,
): Promise<{ end: string | undefined; broken: string | undefined }> {
  const text = await plumbing.read([
    "rev-list",
    "--reverse",
    "--topo-order",
    "--parents",
    ...range(from, to),
  ]);
  let end = from;
  for (const entry of text.split("\n").filter((line) => line !== "")) {
    const [commit = "", ...parents] = entry.split(" ");
    if (parents.length > 1 || parents[0] !== end) return { end, broken: commit };
    end = commit;
  }
  return { end, broken: undefined };
}

function range(from: string | undefined, to: string): string[] {
  return from === undefined ? [to] : [to, `^${from}`];
}

/** A log of which the last file is at hand. */
class GrowingLog {
  #files: number;
  #last: Buffer;

  private constructor(files: number, last: Buffer) {
    this.#files = files;
    this.#last = last;
  }

  static async open(plumbing: Plumbing, commit: string | undefined): Promise<GrowingLog> {
    const files = commit === undefined ? [] : await readLogFiles(plumbing, commit);
    let last: Buffer = NOTHING;
    for await (const bytes of plumbing.blobs(files.slice(-1).map(({ blob }) => blob)))
      last = bytes ?? NOTHING;
    return new GrowingLog(files.length, last);
  }

  /** How many lines a file's new content adds; undefined where it does anything but add lines. */
  grow({ path }: Version, content: Buffer | undefined): number | undefined {
    if (content === undefined || content.at(-1) !== LINE_FEED) return undefined;
    // A file is read again for each commit that lets it grow.
    if (startOfLastLine(content) >= FULL_BYTES) return undefined;
    if (this.#files > 0 && path === logFileName(this.#files - 1)) {
      const before = this.#last;
      if (!content.subarray(0, before.length).equals(before)) return undefined;
      this.#last = content;
      return countLines(content.subarray(before.length));
    }
    if (path !== logFileName(this.#files)) return undefined;
    this.#files++;
    this.#last = content;
    return countLines(content);
  }
}

/** Of bytes that end with a line feed. */
function startOfLastLine(bytes: Buffer): number {
  return bytes.subarray(0, -1).lastIndexOf(LINE_FEED) + 1;
}

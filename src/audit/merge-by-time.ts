import type { ReadLine } from "./finding.ts";

const BATCH = 1000;

/** A log that has lines left. */
interface Head {
  readonly more: AsyncIterator<readonly ReadLine[]>;
  lines: readonly ReadLine[];
  next: number;
  /** The time of its next line. */
  time: number;
}

/** One stream of many, each of which keeps its own order: whichever has the earliest line next is next. */
export async function* mergeByTime(
  streams: readonly AsyncGenerator<readonly ReadLine[]>[],
): AsyncGenerator<readonly ReadLine[]> {
  const opened = await Promise.all(streams.map((more) => filled({ more, lines: [], next: 0, time: 0 })));
  const heap = opened.filter((head) => head !== undefined).sort((a, b) => a.time - b.time);
  let batch: ReadLine[] = [];
  for (let head = heap[0]; head !== undefined; head = heap[0]) {
    const line = head.lines[head.next++];
    if (line !== undefined) batch.push(line);
    const next = head.lines[head.next];
    if (next !== undefined) {
      head.time = next.at;
    } else {
      yield batch;
      batch = [];
      const last = heap.at(-1);
      if ((await filled(head)) === undefined) {
        heap.pop();
        if (last !== undefined && last !== head) heap[0] = last;
      }
    }
    sink(heap);
    if (batch.length >= BATCH) {
      yield batch;
      batch = [];
    }
  }
}

async function filled(head: Head): Promise<Head | undefined> {
  for (;;) {
    const { done, value } = await head.more.next();
    if (done === true) return undefined;
    const first = value[0];
    if (first === undefined) continue;
    head.lines = value;
    head.next = 0;
    head.time = first.at;
    return head;
  }
}

/** Puts the first of a heap in its place. */
function sink(heap: Head[]): void {
  const head = heap[0];
  if (head === undefined) return;
  for (let at = 0; ; ) {
    const left = 2 * at + 1;
    const right = heap[left + 1];
    const child = right !== undefined && right.time < (heap[left]?.time ?? 0) ? left + 1 : left;
    const lower = heap[child];
    if (lower === undefined || head.time <= lower.time) return;
    heap[at] = lower;
    heap[child] = head;
    at = child;
  }
}

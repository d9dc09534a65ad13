import { createReadStream, readdirSync } from "node:fs";
import { diskError, systemCode } from "../vault-error.ts";

// Where lines come from: the log of this machine, and what others pushed. Whoever reads verifies each line by itself and
// believes a source nothing.

const LINE_FEED = 0x0a;
const SEGMENT = /^audit\.([1-9]\d{0,8})\.jsonl$/;

/** One log: the lines of this machine, or those that one key signed on one host and pushed. */
export interface LogSource {
  /** Whose lines these are to be, of a pushed log. */
  readonly host?: string;
  /** Fingerprint of the key that is to have signed them, of a pushed log. */
  readonly key?: string;
  /** Whether it is this machine's own, where lines are written, and not what was pushed. */
  readonly isLocal: boolean;
  /** Whether lines of other vaults may stand in it, which are none of ours. */
  readonly isShared?: boolean;
  /** How a finding names it: a path, or a ref. */
  readonly name: string;
  /**
   * The bytes of all its segments, in order. Many sources are read side by side, and some more than once: between two
   * chunks nothing may be held but memory, above all no process for each source.
   */
  chunks(): AsyncIterable<Buffer>;
}

/** This machine's log: `audit.1.jsonl`, `audit.2.jsonl`, … and `audit.jsonl`, which is written to. */
export function localLog(folder: string, isShared: boolean): LogSource {
  return {
    isLocal: true,
    isShared,
    name: `${folder}/audit.jsonl`,
    chunks: () => readSegments(folder),
  };
}

async function* readSegments(folder: string): AsyncGenerator<Buffer> {
  for (const path of segmentsIn(folder)) {
    let last = LINE_FEED;
    try {
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        last = chunk.at(-1) ?? last;
        yield chunk;
      }
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw diskError(error, "read the audit log", path);
    }
    // A torn line at a segment's end is no part of the next one's first.
    if (last !== LINE_FEED) yield Buffer.of(LINE_FEED);
  }
}

function segmentsIn(folder: string): string[] {
  return [...closedSegments(folder), "audit.jsonl"].map((name) => `${folder}/${name}`);
}

function closedSegments(folder: string): string[] {
  try {
    const numbers = readdirSync(folder).flatMap((name) => SEGMENT.exec(name)?.[1] ?? []);
    return numbers.toSorted((a, b) => Number(a) - Number(b)).map((number) => `audit.${number}.jsonl`);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw diskError(error, "read the audit log", folder);
  }
}

import { isUtf8 } from "node:buffer";
import { blocksOf, linesOf } from "../../audit/blocks.ts";
import { isSignedBy, parseLine } from "../../audit/line.ts";
import { maySay, type Readers } from "../../audit/reader.ts";
import type { LogSource } from "../../audit/source.ts";
import { findWriterRef, type Writer } from "../../audit/writer.ts";
import type { VaultId } from "../../vault/names.ts";

/** Why a line of the log here is not pushed. */
export type Unpushable = "torn" | "unknown-key" | "bad-signature" | "wrong-signer" | "host-name";

/** A line with the ref that it belongs to, or with what is wrong with it; with neither where it is another vault's. */
export interface JudgedLine {
  readonly ref: string | undefined;
  readonly time: string;
  readonly why: Unpushable | undefined;
}

const NO_LINE = { ref: undefined, time: "" };

export async function judgeLine(found: Buffer, vault: VaultId, readers: Readers): Promise<JudgedLine> {
  const text = found.toString();
  const line = isUtf8(found) ? parseLine(text) : undefined;
  if (line === undefined) return { ...NO_LINE, why: "torn" };
  if (line.vault !== vault) return { ...NO_LINE, why: undefined };
  const reader = readers.get(line.key);
  if (reader === undefined) return { ...NO_LINE, why: "unknown-key" };
  if (!(await isSignedBy(reader.key, line, text))) return { ...NO_LINE, why: "bad-signature" };
  if (!maySay(reader, line)) return { ...NO_LINE, why: "wrong-signer" };
  const ref = findWriterRef(line);
  return { ref, time: line.time, why: ref === undefined ? "host-name" : undefined };
}

/**
 * Where a line in its one spelling says who wrote it. A host's name that is longer has no ref; without an end a line of some
 * megabytes is too much for the expression's stack.
 */
const WRITER = /"host":"((?:[^"\\]|\\.){0,1024})","id":"[^"]*","key":"([^"]*)"/;

/** The refs of those who seem to have written here. Whether they did is seen when their lines are verified. */
export async function findWriterRefs(log: LogSource, readers: Readers): Promise<Set<string>> {
  const seen = new Set<string>();
  const refs = new Set<string>();
  for await (const block of blocksOf(log)) {
    for (const bytes of linesOf(block.bytes)) {
      const [writer, host = "", key = ""] = WRITER.exec(bytes.toString()) ?? [];
      if (writer === undefined || seen.has(host + key)) continue;
      seen.add(host + key);
      const ref = readers.has(key) ? findWriterRef({ key, host: unescaped(host) }) : undefined;
      if (ref !== undefined) refs.add(ref);
    }
  }
  return refs;
}

/**
 * Whether a line seems to be a writer's. One that somebody else wrote never does: in its strings quotes are escaped, and the key
 * that signed it is the only one it names so.
 */
export function seemsWrittenBy({ key, host }: Writer): (line: Buffer) => boolean {
  const parts = [`"host":${JSON.stringify(host)}`, `"key":"${key}"`].map((part) => Buffer.from(part));
  return (line) => parts.every((part) => line.includes(part));
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}

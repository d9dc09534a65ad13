import { base64Forms } from "../redact/encodings/base64.ts";
import { findKeys } from "./keys.ts";
import type { Match } from "./match.ts";

// Keys that stand in base64, as in a Kubernetes secret or a variable of a CI service: found by how the words that every key
// begins with are spelled in it, at each of the three alignments, and by decoding what is around them.

const WORDS = ["AGE-SECRET-KEY-", "AGE-PLUGIN-", "-----BEGIN ", "PuTTY-User-Key-File-"];
/** How far in its group of four characters a form begins, by alignment. */
const INTO_GROUP = [0, 2, 3];
const FORMS = WORDS.flatMap((word) =>
  base64Forms(Buffer.from(word)).map((form, alignment) => ({ form, before: INTO_GROUP[alignment] ?? 0 })),
);
/** Of any key, and what may stand before it in the same text. */
const MAX_RUN = 96 * 1024;
/** A key that begins before the last of these bytes of a run that was cut is whole in it. */
const MAX_KEY = 24 * 1024;
const PHASES = [0, 1, 2, 3];
const LINE = /(?:\\n|\r?\n[ \t]*)?[A-Za-z0-9+/_-]+/y;

export function findEncodedKeys(text: string): Match[] {
  const found: Match[] = [];
  for (const { form, before } of FORMS) {
    // What was looked through from one place is not again from the next one in it, so that time grows with the text alone.
    let examinedTo = 0;
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, Math.max(at + 1, examinedTo))) {
      const start = at - before;
      if (start < 0 || found.some((other) => at >= other.start && at < other.end)) continue;
      const end = endOfRun(text, start);
      examinedTo = end - start < MAX_RUN ? end : end - MAX_KEY;
      const key = keyIn(text.slice(start, end).replaceAll(/\\n|\s/g, ""));
      if (key !== undefined) found.push({ rule: key.rule, what: `${key.what} in base64`, start, end });
    }
  }
  return found;
}

/** The first place may be a decoy, and what follows it be of another alignment. */
function keyIn(run: string): Match | undefined {
  for (const phase of PHASES) {
    const [key] = findKeys(Buffer.from(run.slice(phase), "base64").toString("latin1"));
    if (key !== undefined) return key;
  }
  return undefined;
}

/** Lines of base64, wrapped or not. */
function endOfRun(text: string, start: number): number {
  let end = start;
  LINE.lastIndex = start;
  for (let line = LINE.exec(text); line !== null && end - start < MAX_RUN; line = LINE.exec(text))
    end = LINE.lastIndex;
  return Math.min(end, start + MAX_RUN);
}

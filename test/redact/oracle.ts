import { type Needle, wraps } from "../../src/redact/needle.ts";

// Redaction the slow way: look for every needle at every place of the whole text, in each of its three readings, and
// mask the union. Right as long as no needle contains CR, ESC, SO or SI.

export const MASK = "[R]";

interface Span {
  readonly start: number;
  readonly end: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SEQUENCE = /\x1b\[[ -?]*[@-~]|\x1b[ -/]+[0-~]|[\x0e\x0f]/gu;
const NOTHING = /(?!)/g;

export function redactSlowly(text: string, needles: readonly Needle[]): string {
  const covered = new Uint8Array(text.length + 1);
  const sequences = new Map<number, string>();
  const cover = (reading: readonly Span[], { bytes }: Needle): void => {
    const content = reading.map(({ start }) => text[start]).join("");
    for (let at = content.indexOf(bytes); at !== -1; at = content.indexOf(bytes, at + 1)) {
      const { start } = reading[at]!;
      const { end } = reading[at + bytes.length - 1]!;
      covered.fill(1, start, end);
      for (const { index, 0: sequence } of text.slice(start, end).matchAll(SEQUENCE)) {
        sequences.set(start + index, sequence);
      }
    }
  };
  for (const needle of needles) {
    cover(readingOf(text, NOTHING), needle);
    cover(readingOf(text, new RegExp(`\\r|${SEQUENCE.source}`, "gu")), needle);
    if (wraps(needle.encoding))
      cover(readingOf(text, new RegExp(`[\\r\\n]|${SEQUENCE.source}`, "gu")), needle);
  }

  let output = "";
  for (const [at, byte] of [...text].entries()) {
    if (covered[at] === 0) output += byte;
    else if (at === 0 || covered[at - 1] === 0) output += MASK;
    if (covered[at] === 1) output += sequences.get(at) ?? "";
  }
  return output;
}

// The bytes that are left when what matches `skipped` is taken out, each with its place in the text.
function readingOf(text: string, skipped: RegExp): Span[] {
  const reading: Span[] = [];
  let at = 0;
  for (const { index, 0: match } of [...text.matchAll(skipped), { index: text.length, 0: "" }]) {
    for (; at < index; at++) reading.push({ start: at, end: at + 1 });
    at += match.length;
  }
  return reading;
}

import { Automaton } from "./automaton.ts";
import { LeakLedger } from "./leaks.ts";
import type { Needle } from "./needle.ts";
import { spellingsOf } from "./needles.ts";
import type { Redactor, RedactorOptions, SecretValue } from "./redactor.ts";
import { RedactionStream } from "./stream.ts";

// Redacts secrets from streams of bytes. It guarantees that no registered value, nor one of the spellings that needles.ts
// lists, leaves a stream, however the stream is cut into chunks, and that all other bytes leave it unchanged and in
// order. What it may show of a match is its first four bytes, where the stream pauses inside it (stream.ts). It is a
// net, not a boundary: a value that is compressed, encrypted, split up or spelled in another way is not seen.

export type {
  Count,
  Encoding,
  Leak,
  Match,
  RedactedStream,
  Redactor,
  RedactorOptions,
  SecretValue,
} from "./redactor.ts";

/** Makes a redactor whose masks read `[REDACTED:<name>]`. */
export function createRedactor(secrets: readonly SecretValue[], options: RedactorOptions = {}): Redactor {
  const needles: Needle[] = [];
  const tooShort: string[] = [];
  for (const { name, value } of secrets) {
    const spellings = spellingsOf(value);
    if (spellings.length === 0) tooShort.push(name);
    const secret = { name, mask: maskOf(name) };
    for (const spelling of spellings) needles.push({ ...spelling, secret });
  }
  const automaton = new Automaton(needles);
  const ledger = new LeakLedger();

  return {
    tooShort,
    stream: (label = "output") =>
      new RedactionStream(automaton, ({ secret: { name }, encoding }) => {
        ledger.add(name, label, encoding);
        options.onMatch?.({ name, stream: label, encoding });
      }),
    counts: () => ledger.counts(),
    leaks: () => ledger.leaks(),
  };
}

// A mask may land inside a JSON string, or on a terminal.
function maskOf(name: string): Uint8Array {
  return Buffer.from(`[REDACTED:${name.replace(/[^\x20-\x7e]|["\\]/g, "_")}]`);
}

import { Automaton } from "./automaton.ts";
import { LeakLedger } from "./leaks.ts";
import { needlesOf } from "./needle-list.ts";
import type { Redactor, RedactorOptions, SecretValue } from "./redactor.ts";
import { RedactionStream } from "./stream.ts";

// Redacts secrets from streams of bytes. It guarantees that no registered value, nor one of the spellings that needles.ts
// lists, leaves a stream, however the stream is cut into chunks, and that all other bytes leave it unchanged and in
// order. What it may show of a match is its first four bytes, where the stream pauses inside it (stream.ts), or two of
// them at the end of a line that does not look wrapped (readings.ts). It is a net, not a boundary: a value that is
// compressed, encrypted, split up or spelled in another way is not seen.

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

/**
 * Makes a redactor whose masks read `[REDACTED:<name>]`.
 *
 * @throws {TypeError} for a value that is neither text nor bytes.
 */
export function createRedactor(secrets: readonly SecretValue[], options: RedactorOptions = {}): Redactor {
  const { needles, tooShort } = needlesOf(secrets);
  const automaton = new Automaton(needles);
  const ledger = new LeakLedger();

  return {
    tooShort,
    stream: (label = "output") =>
      new RedactionStream(automaton, (masked) => {
        const matches = masked.flatMap(({ secret: { names }, encoding }) =>
          names.map((name) => ({ name, stream: label, encoding })),
        );
        for (const { name, encoding } of matches) ledger.add(name, label, encoding);
        for (const match of matches) options.onMatch?.(match);
      }),
    counts: () => ledger.counts(),
    leaks: () => ledger.leaks(),
  };
}

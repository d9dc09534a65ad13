import { Automaton } from "./automaton.ts";
import { type Count, type Leak, LeakLedger } from "./leaks.ts";
import type { Needle } from "./needle.ts";
import { spellingsOf } from "./needles.ts";
import { type RedactedStream, RedactionStream } from "./stream.ts";

// Redacts secrets from streams of bytes. It guarantees that no registered value, nor one of the spellings that needles.ts
// lists, leaves a stream, however the stream is cut into chunks, and that all other bytes leave it unchanged and in
// order. What it may show of a match is its first four bytes, where the stream pauses inside it (stream.ts). It is a
// net, not a boundary: a value that is compressed, encrypted, split up or spelled in another way is not seen.

export type { Count, Leak } from "./leaks.ts";
export type { Encoding } from "./needle.ts";
export type { RedactedStream } from "./stream.ts";

export interface SecretValue {
  /** Names the secret in masks and reports, for instance `stripe/API_KEY`. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/** Looks for one list of secrets in any number of streams. */
export interface Redactor {
  /** Names of the secrets that are not looked for, because their values are shorter than 6 bytes. */
  readonly tooShort: readonly string[];
  /** A new stream; `label` names it in `leaks()`, for instance `stdout`. */
  stream(label?: string): RedactedStream;
  /** How often each secret was masked in each encoding, in all streams together. */
  counts(): Count[];
  /** How often each secret was masked in each encoding and in each label's streams. */
  leaks(): Leak[];
}

/** Makes a redactor whose masks read `[REDACTED:<name>]`. */
export function createRedactor(secrets: readonly SecretValue[]): Redactor {
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
      new RedactionStream(automaton, ({ secret, encoding }) => ledger.add(secret.name, label, encoding)),
    counts: () => ledger.counts(),
    leaks: () => ledger.leaks(),
  };
}

// A mask may land inside a JSON string, or on a terminal.
function maskOf(name: string): Uint8Array {
  return Buffer.from(`[REDACTED:${name.replace(/[^\x20-\x7e]|["\\]/g, "_")}]`);
}

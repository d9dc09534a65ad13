import { Automaton } from "./automaton.ts";
import { needlesOf } from "./needle-list.ts";
import { Readings } from "./readings.ts";
import type { Encoding, SecretValue } from "./redactor.ts";
import { Unions } from "./unions.ts";
import { WrappedLines } from "./wrapped-lines.ts";

// Where secrets stand in what is not redacted but looked through: the same needles and readings, without their output.

/** One secret at one place. Of several spellings that overlap there, the one that starts first. */
export interface Sighting {
  /** More than one where secrets have the same value. */
  readonly names: readonly string[];
  readonly encoding: Encoding;
  /** In bytes from the beginning. */
  readonly start: number;
  /** Behind the last byte, where nothing stands between its bytes that is not the secret's. */
  readonly end: number;
}

export interface Search {
  /** What is found once this chunk is read too. */
  read(chunk: Uint8Array): Sighting[];
}

export class Finder {
  /** Names of the secrets that are too short to be looked for. */
  readonly tooShort: readonly string[];
  readonly #automaton: Automaton;

  constructor(secrets: readonly SecretValue[]) {
    const { needles, tooShort } = needlesOf(secrets);
    this.tooShort = tooShort;
    this.#automaton = new Automaton(needles);
  }

  /** Looks through one content, chunk by chunk. */
  search(): Search {
    const unions = new Unions();
    const readings = new Readings(this.#automaton, unions, new WrappedLines());
    return {
      read(chunk) {
        readings.read(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
        return unions.takeTo(Number.POSITIVE_INFINITY).flatMap(({ secrets }) =>
          [...secrets].map(([secret, { start, needle }]) => ({
            names: secret.names,
            encoding: needle.encoding,
            start,
            end: start + needle.bytes.length,
          })),
        );
      },
    };
  }
}

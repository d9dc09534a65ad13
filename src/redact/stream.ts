import type { Automaton } from "./automaton.ts";
import { EMPTY } from "./bytes.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { Needle } from "./needle.ts";
import { Readings } from "./readings.ts";
import type { RedactedStream } from "./redactor.ts";
import { type Union, Unions } from "./unions.ts";
import { WrappedLines } from "./wrapped-lines.ts";

// Writes one stream with its matches masked.
//
// Every match that is still to come starts where the earliest partial match starts, or behind it. So all before that
// place is decided and is written, and a union of matches that starts at or before it prints its mask at once: what is
// still to come can only make that union longer at its end.
//
// idle() writes up to four bytes of each partial match, and what the readings leave out among them, but leaves the
// readings alone: if the needle completes, its other bytes are masked. No later call shows more of the same match,
// because the limit counts from where it starts.

const MAX_DISCLOSED_BYTES = 4;

export class RedactionStream implements RedactedStream {
  readonly #report: (masked: readonly Needle[]) => void;
  readonly #unions = new Unions();
  readonly #readings: Readings;
  readonly #held = new HeldBytes();
  /** Position of the first byte that is neither written nor masked. */
  #written = 0;
  /** The union whose mask was printed last, and from where on none of its bytes were written. */
  #masked: Union | undefined;
  #maskedFrom = 0;
  #ended = false;

  /** What was masked and is not reported yet. */
  #unreported: Needle[] = [];

  constructor(
    automaton: Automaton,
    report: (masked: readonly Needle[]) => void,
    wrappedLines = new WrappedLines(),
  ) {
    this.#report = report;
    this.#readings = new Readings(automaton, this.#unions, wrappedLines);
  }

  write(chunk: Uint8Array): Uint8Array {
    return joined(this.pieces(chunk));
  }

  pieces(chunk: Uint8Array): Uint8Array[] {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("write takes bytes");
    if (this.#ended) throw new TypeError("write after end");
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#readings.read(buffer);
    return this.#release(this.#readings.heldFrom, buffer);
  }

  idle(): Uint8Array {
    const masked = this.#masked && { start: this.#maskedFrom, end: this.#masked.end };
    const limit = this.#readings.limitOf(MAX_DISCLOSED_BYTES, masked);
    return joined(this.#release(Math.max(this.#readings.heldFrom, limit), EMPTY));
  }

  end(): Uint8Array {
    this.#ended = true;
    this.#readings.finish();
    return joined(this.#release(this.#readings.position, EMPTY));
  }

  // Writes what lies before `limit`, keeps the rest. `chunk` is what was read since the last call.
  #release(limit: number, chunk: Uint8Array): Uint8Array[] {
    const chunkStart = this.#readings.position - chunk.length;
    const parts: Uint8Array[] = [];
    const copy = (start: number, end: number): void => {
      if (start < Math.min(end, chunkStart)) parts.push(this.#held.copy(start, Math.min(end, chunkStart)));
      if (Math.max(start, chunkStart) < end) {
        parts.push(chunk.subarray(Math.max(start - chunkStart, 0), end - chunkStart));
      }
    };

    for (const union of this.#unions.takeTo(Math.max(limit, this.#written))) {
      if (union.end <= this.#written) {
        this.#reportHidden(union);
        continue;
      }
      // idle() may have written the first bytes of a sequence. A mask before its other bytes would become part of it.
      const begun = union.sequences.find(({ start, end }) => start < this.#written && end > this.#written);
      const maskAt = Math.max(begun?.end ?? union.start, this.#written);
      copy(this.#written, maskAt);
      if (!this.#extendsMask(union, maskAt)) parts.push(union.first.secret.mask);
      for (const { start, end } of union.sequences.sort((a, b) => a.start - b.start)) {
        if (start >= maskAt) copy(start, end);
      }
      this.#written = Math.max(maskAt, union.end);
    }
    copy(this.#written, limit);
    this.#written = Math.max(this.#written, limit);

    this.#held.dropTo(this.#written);
    this.#held.append(chunk.subarray(Math.max(this.#written - chunkStart, 0)));
    this.#reportAll();
    return parts;
  }

  // Last: who is told may throw, and the stream has its place by then.
  #reportAll(): void {
    if (this.#unreported.length === 0) return;
    const masked = this.#unreported;
    this.#unreported = [];
    this.#report(masked);
  }

  // Of a union of which nothing is left to mask. What idle() has shown of it was not hidden; what a mask covers was.
  #reportHidden(union: Union): void {
    if (this.#masked !== undefined && union.end <= this.#masked.end) this.#reportNew(union, this.#masked);
  }

  // Whether the union goes on where the last mask ends. Reports the secrets that were not reported with that mask.
  #extendsMask(union: Union, position: number): boolean {
    const masked = this.#masked;
    const extended = masked !== undefined && union.start <= masked.end ? masked : undefined;
    this.#reportNew(union, extended);
    const adjoins = extended?.end === position;
    if (!adjoins) this.#maskedFrom = position;
    if (extended === undefined) this.#masked = union;
    else extended.end = union.end;
    return adjoins;
  }

  #reportNew(union: Union, reported: Union | undefined): void {
    for (const [secret, match] of union.secrets) {
      if (reported?.secrets.has(secret)) continue;
      this.#unreported.push(match.needle);
      reported?.secrets.set(secret, match);
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only = EMPTY] = parts;
  if (parts.length <= 1) return only;
  const whole = Buffer.allocUnsafe(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

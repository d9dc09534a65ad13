import { CR, EMPTY } from "./bytes.ts";

// Tells a line of wrapped base64 or hex from prose. Nearly every line ends in a byte with which some needle begins, and
// holding back its end until the next line begins would delay whoever waits for that line.

const MIN_WRAPPED_BYTES = 16;
const TAIL_BYTES = MIN_WRAPPED_BYTES + 1;

export class WrappedLines {
  // The end of the chunks before this one: as many bytes as it takes to judge a line, and a CR.
  #tail: Uint8Array = EMPTY;

  /** Whether the bytes before `index` are what a wrapped line ends in. */
  endAt(chunk: Uint8Array, index: number): boolean {
    const end = this.#byteAt(chunk, index - 1) === CR ? index - 1 : index;
    for (let i = 1; i <= MIN_WRAPPED_BYTES; i++) if (!isBase64(this.#byteAt(chunk, end - i))) return false;
    return true;
  }

  endOfChunk(chunk: Uint8Array): void {
    if (chunk.length >= TAIL_BYTES) {
      // Not slice: a Buffer's does not copy.
      this.#tail = new Uint8Array(chunk.subarray(-TAIL_BYTES));
      return;
    }
    const joined = new Uint8Array(this.#tail.length + chunk.length);
    joined.set(this.#tail);
    joined.set(chunk, this.#tail.length);
    this.#tail = joined.subarray(-TAIL_BYTES);
  }

  #byteAt(chunk: Uint8Array, index: number): number {
    if (index >= 0) return chunk[index] as number;
    const inTail = this.#tail.length + index;
    return inTail < 0 ? 0 : (this.#tail[inTail] as number);
  }
}

function isBase64(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || // 0-9
    (byte >= 0x41 && byte <= 0x5a) || // A-Z
    (byte >= 0x61 && byte <= 0x7a) || // a-z
    byte === 0x2b || // +
    byte === 0x2f || // /
    byte === 0x2d || // -
    byte === 0x5f // _
  );
}

// The bytes of a stream that have been read but not yet written: a queue addressed by position in the stream.
export class HeldBytes {
  #buffer = new Uint8Array(64);
  #from = 0;
  #length = 0;
  #position = 0;

  /** A copy of the bytes at these positions of the stream. */
  copy(start: number, end: number): Uint8Array {
    const offset = this.#from - this.#position;
    return this.#buffer.slice(start + offset, end + offset);
  }

  /** Forgets what comes before this position. */
  dropTo(position: number): void {
    const count = Math.min(position - this.#position, this.#length);
    this.#from += count;
    this.#length -= count;
    this.#position = position;
    if (this.#length === 0) this.#from = 0;
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (this.#from + needed > this.#buffer.length) {
      // Moving to the front only when half is free keeps the cost of an append constant.
      const target = needed * 2 > this.#buffer.length ? new Uint8Array(needed * 2) : this.#buffer;
      target.set(this.#buffer.subarray(this.#from, this.#from + this.#length));
      this.#buffer = target;
      this.#from = 0;
    }
    this.#buffer.set(bytes, this.#from + this.#length);
    this.#length = needed;
  }
}

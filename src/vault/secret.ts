import { isUtf8 } from "node:buffer";

/**
 * One secret value. Printing, formatting, inspecting and serialising give its mask; `reveal()` and `bytes()` are
 * the only ways out, so that a search for them finds every place a value can go.
 */
export class Secret {
  /** `GROUP/NAME`. */
  readonly ref: string;
  #value: Buffer;

  /** Takes ownership of `value`: `dispose()` overwrites it. */
  constructor(ref: string, value: Buffer) {
    this.ref = ref;
    this.#value = value;
  }

  /** The value as text. Throws a TypeError where it is not UTF-8: use `bytes()` for those. */
  reveal(): string {
    if (!isUtf8(this.#value)) throw new TypeError(`the value of ${this.ref} is not UTF-8 text`);
    return this.#value.toString("utf8");
  }

  /** The value's own bytes, not a copy. */
  bytes(): Buffer {
    return this.#value;
  }

  /** Whether the value can stand in an environment variable: UTF-8 without a NUL. */
  isText(): boolean {
    return isUtf8(this.#value) && !this.#value.includes(0);
  }

  /** Overwrites the bytes. Strings made by `reveal()` are the runtime's and stay until collected. */
  dispose(): void {
    this.#value.fill(0);
    this.#value = Buffer.alloc(0);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return `[REDACTED:${this.ref}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.toPrimitive](): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

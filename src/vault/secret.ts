import { isUtf8 } from "node:buffer";

// Not in a field of the object, private or not: debuggers show those, and crash reporters read locals as debuggers do.
const values = new WeakMap<Secret, Buffer>();

/**
 * One secret value. Printing, formatting, inspecting and serialising give its mask; `reveal()` and `bytes()` are
 * the only ways out, so that a search for them finds every place a value can go.
 */
export class Secret {
  /** `GROUP/NAME`. */
  readonly ref: string;

  /** Takes ownership of `value`: `dispose()` overwrites it. */
  constructor(ref: string, value: Buffer) {
    this.ref = ref;
    values.set(this, value);
  }

  /** The value as text. Throws a TypeError where it is not UTF-8 (use `bytes()` for those), and once it was disposed. */
  reveal(): string {
    const value = this.bytes();
    if (!isUtf8(value)) throw new TypeError(`the value of ${this.ref} is not UTF-8 text`);
    return value.toString("utf8");
  }

  /** The value's own bytes, not a copy: `dispose()` overwrites them. Throws a TypeError once it did. */
  bytes(): Buffer {
    const value = values.get(this);
    if (value === undefined) throw new TypeError(`the value of ${this.ref} was disposed`);
    return value;
  }

  /** Whether the value can stand in an environment variable: UTF-8 without a NUL. */
  isText(): boolean {
    const value = this.bytes();
    return isUtf8(value) && !value.includes(0);
  }

  /** Overwrites the bytes. Strings made by `reveal()` are the runtime's and stay until collected. */
  dispose(): void {
    values.get(this)?.fill(0);
    values.delete(this);
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

import { createRedactor, type Leak, type Match, type Redactor } from "../redact/index.ts";
import { isTooShort } from "../redact/needles.ts";
import type { Secret } from "../vault/secret.ts";
import type { Filter } from "./stream.ts";

/** Most programs have not written anything by then, and a short one has ended. */
const BUILD_AFTER_MS = 10;
/** Of more, building takes long enough to hold up a signal, or so much memory that it may fail. */
const LARGE_BYTES = 64 * 1024;
const NOTHING = new Uint8Array();

/**
 * The redactor of a launch. What looks for the values is built when the program first writes, or while it starts: no start
 * waits for it, and a program that ends in silence needs none.
 */
export class LateRedactor {
  /** Names of the secrets that are not looked for. */
  readonly tooShort: readonly string[];
  readonly #onMatch: (match: Match) => void;
  readonly #onFailure: () => void;
  #failure: unknown;
  #values: readonly Secret[];
  #redactor: Redactor | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param values belong to it from now on: it overwrites them once it has built what looks for them. Where they are large
   *   that is done now.
   * @param onFailure called once where it could not be built later, or could not go on: what the program writes is then not
   *   passed on, and `end` throws.
   */
  constructor(values: readonly Secret[], onMatch: (match: Match) => void, onFailure: () => void) {
    this.#values = values;
    this.#onMatch = onMatch;
    this.#onFailure = onFailure;
    this.tooShort = values.filter((value) => isTooShort(value.bytes())).map((value) => value.ref);
    const bytes = values.reduce((sum, value) => sum + value.bytes().length, 0);
    if (values.length === 0 || bytes > LARGE_BYTES) this.#build();
  }

  /** To be called when the program has been started. */
  started(): void {
    this.#timer = setTimeout(() => this.#attempt(() => this.#built()), BUILD_AFTER_MS).unref();
  }

  stream(label: string): Filter {
    let stream: Filter | undefined;
    return {
      // What cannot be looked through is not shown.
      pieces: (chunk) =>
        this.#attempt(() => {
          stream ??= this.#built()?.stream(label);
          return stream?.pieces(chunk);
        }) ?? [],
      idle: () => this.#attempt(() => stream?.idle()) ?? NOTHING,
      end: () => this.#attempt(() => stream?.end()) ?? NOTHING,
    };
  }

  leaks(): Leak[] {
    return this.#redactor?.leaks() ?? [];
  }

  /**
   * The program has ended.
   *
   * @throws what kept it from being built, or from going on: not all of the output was passed on.
   */
  end(): void {
    clearTimeout(this.#timer);
    this.#dispose();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Undefined where what it was to look for is gone. */
  #built(): Redactor | undefined {
    if (this.#redactor === undefined && this.#values.length > 0) this.#build();
    return this.#redactor;
  }

  /** Undefined where it fails, and ever after that: whoever lost its place in a stream could miss a value. */
  #attempt<T>(act: () => T): T | undefined {
    if (this.#failure !== undefined) return undefined;
    try {
      return act();
    } catch (error) {
      this.#failure = error;
      this.#onFailure();
      return undefined;
    }
  }

  #build(): void {
    const secrets = this.#values.map((value) => ({ name: value.ref, value: value.bytes() }));
    this.#redactor = createRedactor(secrets, { onMatch: this.#onMatch });
    this.#dispose();
  }

  #dispose(): void {
    for (const value of this.#values) value.dispose();
    this.#values = [];
  }
}

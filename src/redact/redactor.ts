// What the module `vault-run/redact` offers, in one place.

/**
 * How a value may be spelled in output. `line`, `leaf`, `spaces`, `crlf` and `lf` are parts or layouts of the
 * value itself; the others are encodings of the value or of such a part.
 */
export type Encoding =
  | "raw"
  | "line"
  | "leaf"
  | "spaces"
  | "crlf"
  | "lf"
  | "json"
  | "repr"
  | "shell"
  | "xml"
  | "percent"
  | "base64"
  | "base64url"
  | "hex";

export interface SecretValue {
  /** Names the secret in masks and reports, for instance `stripe/API_KEY`. */
  readonly name: string;
  /** Text stands for its UTF-8 bytes. Not kept: what is looked for is. */
  readonly value: string | Uint8Array;
}

/** Looks for one list of secrets in any number of streams. */
export interface Redactor {
  /** Names of the secrets that are not looked for, because their values are shorter than 6 bytes. */
  readonly tooShort: readonly string[];
  /** A new stream with a state of its own; `label` names it in `leaks()`, for instance `stdout`. */
  stream(label?: string): RedactedStream;
  /** How often each secret was masked in each encoding, in all streams together. */
  counts(): Count[];
  /** How often each secret was masked in each encoding and in each label's streams. */
  leaks(): Leak[];
}

/** Bytes in, redacted bytes out. What a call returns may be (a part of) the chunk that it was given. */
export interface RedactedStream {
  /** @throws {TypeError} for what is not bytes, and after `end()`. */
  write(chunk: Uint8Array): Uint8Array;
  /** Like `write`, the output in pieces, in order: large chunks need not be copied to be joined. */
  pieces(chunk: Uint8Array): Uint8Array[];
  /** To be called after 50 ms without a write: lets go a prompt that ends like the beginning of a secret. */
  idle(): Uint8Array;
  /** What is still held back, of which a long beginning of a secret is masked. */
  end(): Uint8Array;
}

/** How often a secret was masked in one encoding. */
export interface Count {
  readonly name: string;
  readonly encoding: Encoding;
  readonly count: number;
}

/** How often a secret was masked in a label's streams in one encoding. */
export interface Leak extends Count {
  readonly stream: string;
}

/** One secret, masked once. */
export interface Match {
  readonly name: string;
  /** The label of the stream. */
  readonly stream: string;
  readonly encoding: Encoding;
}

export interface RedactorOptions {
  /**
   * Called for each match that is counted, before the call that masks it returns. What it throws, that call throws: its output
   * is lost then, and the next one goes on behind it.
   */
  readonly onMatch?: (match: Match) => void;
}

import { bech32 } from "@scure/base";

/** `pq` is age's mlkem768x25519 hybrid, `classic` is X25519. A vault uses one of them throughout. */
export type Suite = "pq" | "classic";

/** An age recipient (`age1…` or `age1pq1…`) whose checksum and length were verified. */
export type Recipient = string & { readonly __brand: "Recipient" };

const SECRET_BYTES = 32;
const SUITES = {
  pq: {
    identityPrefix: "AGE-SECRET-KEY-PQ-",
    recipientPrefix: "age1pq1",
    recipientHrp: "age1pq",
    recipientBytes: 1216,
  },
  classic: {
    identityPrefix: "AGE-SECRET-KEY-",
    recipientPrefix: "age1",
    recipientHrp: "age",
    recipientBytes: 32,
  },
} as const;

/** An age identity. Prints, serialises and inspects as a mask; `reveal()` is the only way to its text. */
export class Identity {
  readonly suite: Suite;
  readonly #text: string;
  readonly #secret: Uint8Array;

  private constructor(suite: Suite, text: string, secret: Uint8Array) {
    this.suite = suite;
    this.#text = text;
    this.#secret = secret;
  }

  /** Parses one `AGE-SECRET-KEY-…` line. Returns undefined for anything but a valid native identity. */
  static parse(text: string): Identity | undefined {
    const suite: Suite = text.startsWith("AGE-SECRET-KEY-PQ-1") ? "pq" : "classic";
    const { identityPrefix } = SUITES[suite];
    if (!text.startsWith(`${identityPrefix}1`)) return undefined;
    try {
      const { prefix, words } = bech32.decode(text as `${string}1${string}`);
      const secret = bech32.fromWords(words);
      if (prefix.toUpperCase() !== identityPrefix || secret.length !== SECRET_BYTES) return undefined;
      return new Identity(suite, text, secret);
    } catch {
      return undefined;
    }
  }

  /** The identity's line, `AGE-SECRET-KEY-…`. */
  reveal(): string {
    return this.#text;
  }

  /** The 32 secret bytes that the line encodes: the input to the signing key's derivation. */
  secretBytes(): Uint8Array {
    return this.#secret;
  }

  toString(): string {
    return "[age identity]";
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Parses a native recipient. Returns undefined for plugin, tag and malformed ones: they are never used. */
export function parseRecipient(text: string): Recipient | undefined {
  const suite = suiteOf(text as Recipient);
  const { recipientPrefix, recipientHrp, recipientBytes } = SUITES[suite];
  if (!text.startsWith(recipientPrefix)) return undefined;
  try {
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, false);
    if (prefix !== recipientHrp || text !== text.toLowerCase()) return undefined;
    return bech32.fromWords(words).length === recipientBytes ? (text as Recipient) : undefined;
  } catch {
    return undefined;
  }
}

export function suiteOf(recipient: Recipient): Suite {
  return recipient.startsWith(SUITES.pq.recipientPrefix) ? "pq" : "classic";
}

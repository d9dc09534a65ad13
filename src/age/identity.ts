import { bech32Length, decodeBech32 } from "./bech32.ts";

/** `pq` is age's mlkem768x25519 hybrid, `classic` is X25519. A vault uses one of them throughout. */
export type Suite = "pq" | "classic";

/** A text of a native recipient's form (`age1…` or `age1pq1…`): sealing to it checks that it is one. */
export type Recipient = string & { readonly __brand: "Recipient" };

const SECRET_BYTES = 32;
const SUITES = {
  pq: {
    identityPrefix: "AGE-SECRET-KEY-PQ-",
    recipientPrefix: "age1pq",
    recipientBytes: 1216,
  },
  classic: {
    identityPrefix: "AGE-SECRET-KEY-",
    recipientPrefix: "age",
    recipientBytes: 32,
  },
} as const;
export const HYBRID_RECIPIENT = SUITES.pq;
const DATA = /^[02-9ac-hj-np-z]*$/;

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
    const suite: Suite = text.startsWith(`${SUITES.pq.identityPrefix}1`) ? "pq" : "classic";
    const prefix = SUITES[suite].identityPrefix.toLowerCase();
    // Bech32 has two cases, of which age writes identities in this one.
    if (!/^[A-Z0-9-]*$/.test(text)) return undefined;
    const secret = decodeBech32(text.toLowerCase(), prefix, SECRET_BYTES);
    return secret === undefined ? undefined : new Identity(suite, text, secret);
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

/**
 * Parses a native recipient: its prefix, characters and length. Its checksum is left to who seals to it (seal.ts): every
 * launch reads some, of 1,959 characters, and seals to none.
 *
 * @returns undefined for plugin, tag and malformed ones, which are never used.
 */
export function parseRecipient(text: string): Recipient | undefined {
  const { recipientPrefix, recipientBytes } = SUITES[suiteOf(text as Recipient)];
  if (text.length !== bech32Length(recipientPrefix, recipientBytes)) return undefined;
  if (!text.startsWith(`${recipientPrefix}1`)) return undefined;
  return DATA.test(text.slice(recipientPrefix.length + 1)) ? (text as Recipient) : undefined;
}

/** Whether the recipient's checksum holds and its bits have the one spelling. */
export function isWhole(recipient: Recipient): boolean {
  const { recipientPrefix, recipientBytes } = SUITES[suiteOf(recipient)];
  return decodeBech32(recipient, recipientPrefix, recipientBytes) !== undefined;
}

export function suiteOf(recipient: Recipient): Suite {
  return recipient.startsWith(`${SUITES.pq.recipientPrefix}1`) ? "pq" : "classic";
}

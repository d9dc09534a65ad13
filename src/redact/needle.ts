import type { Encoding } from "./redactor.ts";

const ASCII = /^[\0-\x7f]*$/;

// Needles are byte strings: one char per byte (latin1), whatever the bytes mean. That keeps the escapers plain
// `replace` calls, and the automaton reads them with charCodeAt.
export interface Spelling {
  readonly bytes: string;
  readonly encoding: Encoding;
}

export interface MaskedSecret {
  /** More than one where secrets have the same value. The first is in the mask. */
  readonly names: string[];
  readonly mask: Uint8Array;
}

export interface Needle extends Spelling {
  readonly secret: MaskedSecret;
}

export const byteStringOf = (value: string | Uint8Array): string =>
  typeof value === "string" ? byteString(value) : Buffer.from(value).toString("latin1");

export const byteString = (text: string): string =>
  // Of such text the bytes are the characters.
  ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");

/** Base64 and hex are the encodings that programs wrap, so a line feed inside them means nothing. */
export const wraps = (encoding: Encoding): boolean =>
  encoding === "base64" || encoding === "base64url" || encoding === "hex";

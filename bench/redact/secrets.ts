import { seededBytes } from "./random.ts";

// The secrets of the bench, the same in every run; those of a smaller count are the first of a larger one. One in ten is
// a key of ten lines, and one is bordered: its beginning repeats itself, which is the worst that a needle can be.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/";
const TOKEN_CHARACTERS = 40;
const BORDERED = 3;
const KEY = 4;

export const BORDER_UNIT = "k7Q";

export interface BenchSecret {
  readonly variable: string;
  readonly value: string;
}

export function makeSecrets(count: number): BenchSecret[] {
  return Array.from({ length: count }, (_, i) => ({ variable: `SECRET_${i}`, value: makeValue(i) }));
}

/** What most agents are granted: of four tokens three are letters, digits, `_` and `-`, and one is base64. */
export function makeTokens(count: number): BenchSecret[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = seededBytes(`plain token ${i}`, TOKEN_CHARACTERS);
    const base64 = bytes.toString("base64").slice(0, TOKEN_CHARACTERS);
    const value = i % 4 === 0 ? base64 : base64.replaceAll("+", "-").replaceAll("/", "_");
    return { variable: `SECRET_${i}`, value };
  });
}

/** The name that the vault and the redactor know a secret by. */
export function nameOf({ variable }: BenchSecret): string {
  return `group/${variable}`;
}

export function tokenCharacters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

function makeValue(i: number): string {
  if (i === BORDERED) return `${BORDER_UNIT.repeat(13)}5`;
  if (i % 10 === KEY) return makeKey(seededBytes(`key ${i}`, 8 * 48));
  return tokenCharacters(seededBytes(`token ${i}`, TOKEN_CHARACTERS));
}

function makeKey(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{64}/g) ?? [];
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----"].join("\n");
}

import { byteStringOf, type MaskedSecret, type Needle } from "./needle.ts";
import { spellingsOf, trim } from "./needles.ts";
import type { SecretValue } from "./redactor.ts";

export interface NeedleList {
  readonly needles: Needle[];
  /** Names of the secrets that are too short to be looked for. */
  readonly tooShort: string[];
}

/** What is looked for. Two secrets of the same value, but for white space around it, are looked for once, and found both. */
export function needlesOf(secrets: readonly SecretValue[]): NeedleList {
  const byValue = new Map<string, MaskedSecret>();
  const needles: Needle[] = [];
  const tooShort: string[] = [];
  for (const { name, value } of secrets) {
    requireSecret(name, value);
    const bytes = trim(byteStringOf(value));
    const same = byValue.get(bytes);
    if (same !== undefined) {
      same.names.push(name);
      continue;
    }
    const spellings = spellingsOf(bytes);
    if (spellings.length === 0) {
      tooShort.push(name);
      continue;
    }
    const secret: MaskedSecret = { names: [name], mask: maskOf(name) };
    byValue.set(bytes, secret);
    for (const { bytes, encoding } of spellings) needles.push({ bytes, encoding, secret });
  }
  return { needles, tooShort };
}

// What is neither would be looked for as something else (a Secret as its mask, a list as its numbers), or be quoted by the
// error that node has for it.
function requireSecret(name: unknown, value: unknown): void {
  if (typeof name !== "string") throw new TypeError("a secret's name is not a string");
  if (typeof value !== "string" && !(value instanceof Uint8Array))
    throw new TypeError(`the value of ${name} is neither text nor bytes`);
}

// A mask may land inside a JSON string, or on a terminal.
function maskOf(name: string): Uint8Array {
  return Buffer.from(`[REDACTED:${name.replace(/[^\x20-\x7e]|["\\]/g, "_")}]`);
}

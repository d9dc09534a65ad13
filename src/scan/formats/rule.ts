/** One kind of key that a service gives out, told by its own form. */
export interface FormatRule {
  readonly rule: string;
  /** `a key of OpenRouter`. */
  readonly what: string;
  /** Text without which the form cannot be there; looked for first, since that costs next to nothing. */
  readonly anchors: readonly string[];
  /** Its first group, where it has one, is the secret. With the flags `g` and `d`. */
  readonly form: RegExp;
  /** Whether no letter or digit may stand before it. Not a part of the form, which is found faster by how it begins. */
  readonly standsAlone?: boolean;
  /** Whether the secret is one after all. */
  readonly isReal?: (secret: string) => boolean;
}

/** A key that stands alone: no letter or digit goes on before or behind it. */
export function token(
  rule: string,
  what: string,
  anchors: string | readonly string[],
  form: string,
): FormatRule {
  return {
    rule,
    what,
    anchors: typeof anchors === "string" ? [anchors] : anchors,
    form: new RegExp(`(${form})(?![A-Za-z0-9])`, "dg"),
    standsAlone: true,
    isReal: isRandom,
  };
}

const EXAMPLE = /EXAMPLE|example|x{6}|X{6}|0{12}|1234567890abcdef|abcdefghij(?:klmnop)/;
const MIN_BITS = 2.6;

/** Not a placeholder: documentation spells out that it is one, or repeats itself. */
export function isRandom(secret: string): boolean {
  return !EXAMPLE.test(secret) && entropy(secret) >= MIN_BITS;
}

/** Bits a character, by how often each occurs. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

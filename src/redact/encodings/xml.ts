import { byteString } from "../needle.ts";

// Writers agree on & and <; on >, on quotes and on how a quote is written they do not.
const QUOTES: readonly (readonly [double: string, single: string])[] = [
  ['"', "'"],
  ["&quot;", "'"],
  ["&quot;", "&apos;"],
  ["&quot;", "&#39;"],
  ["&quot;", "&#039;"],
  ["&quot;", "&#x27;"],
  ["&#34;", "&#39;"],
  ["&#x22;", "&#x27;"],
];
type Reference = (code: number) => string;
const DECIMAL: Reference = (code) => `&#${code};`;
const HEXADECIMAL: Reference = (code) => `&#x${code.toString(16).toUpperCase()};`;
const TWO_DIGITS: Reference = (code) => `&#${code.toString().padStart(2, "0")};`;

export function xmlForms(bytes: string, text: string | undefined): string[] {
  const forms = escaped(bytes);
  const spaces = /[\t\n\r]/;
  const withSpaces = spaces.test(bytes)
    ? forms.flatMap((form) => [
        form,
        ...[DECIMAL, HEXADECIMAL, TWO_DIGITS].map((reference) => references(form, /[\t\n\r]/g, reference)),
      ])
    : forms;
  if (text === undefined || text.length === bytes.length) return withSpaces;
  const others = escaped(text).flatMap((form) =>
    [DECIMAL, HEXADECIMAL].flatMap((reference) => {
      const ascii = references(form, /[^\0-\x7f]/gu, reference);
      return [ascii, references(ascii, /[\t\n\r]/g, reference)];
    }),
  );
  return [...withSpaces, ...others.map(byteString)];
}

function escaped(content: string): string[] {
  if (!/[&<>"']/.test(content)) return [content];
  const text = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const whole = text.replaceAll(">", "&gt;");
  const quoted = QUOTES.map(([double, single]) => whole.replaceAll('"', double).replaceAll("'", single));
  return [...new Set([...quoted, text, text.replaceAll('"', "&quot;")])];
}

function references(form: string, characters: RegExp, reference: Reference): string {
  return form.replace(characters, (character) => reference(character.codePointAt(0) ?? 0));
}

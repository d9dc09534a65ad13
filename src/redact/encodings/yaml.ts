import { byteString } from "../needle.ts";

// How YAML and CSV writers quote. Single quotes of YAML and double quotes of CSV are doubled; double quotes of YAML escape
// more, and what is not ASCII or only what cannot be printed.

const NAMES = new Map([
  ["\0", "\\0"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\v", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\x1b", "\\e"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x85", "\\N"],
  ["\xa0", "\\_"],
  ["\u2028", "\\L"],
  ["\u2029", "\\P"],
]);

export function yamlForms(bytes: string, text: string | undefined): string[] {
  const forms = [bytes.replaceAll("'", "''"), bytes.replaceAll('"', '""')];
  if (text === undefined) return forms;
  for (const escaped of [/[^\x20-\x7e]|["\\]/gu, /(?! )[\p{C}\p{Z}]|["\\]/gu]) {
    forms.push(byteString(text.replace(escaped, doubleQuoted)));
  }
  return forms;
}

function doubleQuoted(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16).toUpperCase();
  const long = code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
  return NAMES.get(character) ?? (code < 0x100 ? `\\x${digits.padStart(2, "0")}` : long);
}

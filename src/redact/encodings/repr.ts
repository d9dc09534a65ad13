import { byteString } from "../needle.ts";

// How Python's repr and ascii, and node's inspect (console.log of an object) print a string. Which quotes go around it,
// and so whether a quote inside is escaped, depends on the string.

const PYTHON_NAMES = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);
const NODE_NAMES = new Map([...PYTHON_NAMES, ["\b", "\\b"], ["\f", "\\f"]]);

export function reprForms(bytes: string, text: string | undefined): string[] {
  const forms = [bytes.replace(/[^\x20-\x7e]|\\/g, python)];
  if (text !== undefined) {
    forms.push(byteString(text.replace(/(?! )[\\\p{C}\p{Z}]/gu, python)));
    forms.push(text.replace(/[^\x20-\x7e]|\\/gu, python));
    forms.push(byteString(text.replace(/[^\x20-\x7e\xa0-\uffff]|\\/g, inspect)));
  }
  return forms.flatMap((form) => [form, form.replaceAll("'", "\\'")]);
}

function python(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return PYTHON_NAMES.get(char) ?? `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function inspect(char: string): string {
  return NODE_NAMES.get(char) ?? `\\x${hex(char.charCodeAt(0), 2).toUpperCase()}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

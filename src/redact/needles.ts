import { base64Forms, base64urlForms } from "./encodings/base64.ts";
import { hexForms } from "./encodings/hex.ts";
import { jsonForms, plainJsonForms } from "./encodings/json.ts";
import { percentForms } from "./encodings/percent.ts";
import { reprForms } from "./encodings/repr.ts";
import { shellForms } from "./encodings/shell.ts";
import { xmlForms } from "./encodings/xml.ts";
import { yamlForms } from "./encodings/yaml.ts";
import { byteString, byteStringOf, type Spelling } from "./needle.ts";
import type { Encoding } from "./redactor.ts";

// The spellings of a value that are looked for, each once. What comes first here names the encoding of those that are
// spelled alike.

// Escaped forms have no minimum of their own: of a value of six bytes they are as telling as the value.
const MIN_RAW_BYTES = 6;
const MIN_ENCODED_BYTES = 8;
const MIN_LINE_BYTES = 16;
// The last line of a key is often short, and no words stand in a key.
const MIN_PEM_LINE_BYTES = 8;

// A launch may not take seconds for a value of 1 MiB. What programs print of long values are files, dumps and JSON.
const LARGE_BYTES = 4096;
const HUGE_BYTES = 65_536;

// Of such bytes no escaper changes any, and of such some encoders of JSON and of URLs alone.
const UNRESERVED = /^[A-Za-z0-9_.-]*$/;
const ESCAPED_IN_JSON = /[^\x20-\x7e]|["\\]/;
const LIKE_BASE64 = /^[A-Za-z0-9_.+/=-]*$/;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const PEM_BOUNDARY = /^-----(BEGIN|END) .*-----$/;
const COLON = /\s*:/y;
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/** Whether a value is too short to be looked for. */
export function isTooShort(value: string | Uint8Array): boolean {
  return trim(byteStringOf(value)).length < MIN_RAW_BYTES;
}

/** Of a value as a byte string. Empty if it is too short to be looked for. */
export function spellingsOf(value: string): Spelling[] {
  const bytes = trim(value);
  const spellings = new Spellings();
  if (bytes.length >= MIN_RAW_BYTES) {
    addWhole(spellings, bytes, "raw");
    addLeaves(spellings, bytes);
  }
  return spellings.list();
}

class Spellings {
  readonly #encodings = new Map<string, Encoding>();

  /** The minimum is asked of every spelling: six spaces between two letters shrink to one. */
  add(encoding: Encoding, forms: readonly string[], minimum = MIN_RAW_BYTES): void {
    for (const bytes of forms) {
      if (bytes.length >= minimum && !this.#encodings.has(bytes)) this.#encodings.set(bytes, encoding);
    }
  }

  has(bytes: string): boolean {
    return this.#encodings.has(bytes);
  }

  list(): Spelling[] {
    return Array.from(this.#encodings, ([bytes, encoding]) => ({ bytes, encoding }));
  }
}

function addWhole(spellings: Spellings, bytes: string, encoding: Encoding): void {
  addText(spellings, bytes, encoding);
  addEncoded(spellings, bytes);
  if (/[\t\n\v\f\r]| {2}/.test(bytes)) spellings.add("spaces", [bytes.replace(/[\t-\r ]+/g, " ")]);
  if (bytes.includes("\n")) addMultiLine(spellings, bytes);
}

function addMultiLine(spellings: Spellings, bytes: string): void {
  const lines = bytes.split(/\r?\n/);
  addLayout(spellings, "lf", lines.join("\n"));
  addLayout(spellings, "crlf", lines.join("\r\n"));
  spellings.add("spaces", [lines.join(" ")]);
  addLines(spellings, lines, bytes.length > LARGE_BYTES);
}

function addLines(spellings: Spellings, lines: readonly string[], isLarge: boolean): void {
  const minimum = lines.some((line) => PEM_BOUNDARY.test(line)) ? MIN_PEM_LINE_BYTES : MIN_LINE_BYTES;
  for (const line of new Set(lines.map(trim))) {
    if (line.length < minimum || PEM_BOUNDARY.test(line)) continue;
    if (isLarge) spellings.add("line", [line]);
    else addText(spellings, line, "line");
  }
}

// Of other line ends than the value's own, what files of it are usually made into.
function addLayout(spellings: Spellings, encoding: Encoding, bytes: string): void {
  if (spellings.has(bytes)) return;
  spellings.add(encoding, [bytes]);
  if (bytes.length > LARGE_BYTES) return;
  const text = textOf(bytes);
  if (text !== undefined) spellings.add("json", plainJsonForms(text, true));
  addEncoded(spellings, bytes);
}

// A value that is a JSON document is also used, and printed, in parts.
function addLeaves(spellings: Spellings, bytes: string): void {
  for (const leaf of leavesOf(bytes)) {
    const content = trim(byteString(leaf));
    if (content.length < MIN_RAW_BYTES || spellings.has(content)) continue;
    if (bytes.length > LARGE_BYTES) addPart(spellings, content, bytes.length <= HUGE_BYTES);
    else addWhole(spellings, content, "leaf");
    addLeaves(spellings, content);
  }
}

// Of a large document. It is printed with other spaces between its strings, too, or one of them alone.
function addPart(spellings: Spellings, content: string, withPython: boolean): void {
  spellings.add("leaf", [content]);
  const text = ESCAPED_IN_JSON.test(content) ? textOf(content) : undefined;
  if (text !== undefined) spellings.add("json", plainJsonForms(text, withPython));
  if (content.includes("\n")) addLines(spellings, content.split(/\r?\n/), true);
}

/** The strings of a JSON document that are no keys, also those that another one of the same key hides. */
function leavesOf(bytes: string): string[] {
  const document = bytes.startsWith(BYTE_ORDER_MARK) ? bytes.slice(BYTE_ORDER_MARK.length) : bytes;
  if (!/^[{["]/.test(document)) return [];
  const text = textOf(document);
  if (text === undefined || !isJson(text)) return [];
  const leaves: string[] = [];
  let end = 0;
  for (let start = text.indexOf('"'); start !== -1; start = text.indexOf('"', end)) {
    end = endOfString(text, start);
    COLON.lastIndex = end;
    if (!COLON.test(text)) leaves.push(JSON.parse(text.slice(start, end)) as string);
  }
  return leaves;
}

/** Behind a string of a JSON document. A long one is too much for the stack of an expression. */
function endOfString(document: string, start: number): number {
  let at = start + 1;
  while (document[at] !== '"') at += document[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // It only looked like it. The error would quote the value.
    return false;
  }
}

// The bytes and their escaped forms.
function addText(spellings: Spellings, bytes: string, encoding: Encoding): void {
  spellings.add(encoding, [bytes]);
  if (UNRESERVED.test(bytes)) return;
  const text = textOf(bytes);
  if (bytes.length > LARGE_BYTES) {
    if (text !== undefined) spellings.add("json", plainJsonForms(text, bytes.length <= HUGE_BYTES));
    return;
  }
  if (text !== undefined) spellings.add("json", jsonForms(text));
  spellings.add("percent", percentForms(bytes));
  if (LIKE_BASE64.test(bytes)) return;
  spellings.add("repr", reprForms(bytes, text));
  spellings.add("repr", yamlForms(bytes, text));
  spellings.add("shell", shellForms(bytes));
  spellings.add("xml", xmlForms(bytes, text));
}

function addEncoded(spellings: Spellings, bytes: string): void {
  const value = Buffer.from(bytes, "latin1");
  const base64 = base64Forms(value);
  const hex = hexForms(value);
  spellings.add("base64", base64, MIN_ENCODED_BYTES);
  const isHuge = bytes.length > HUGE_BYTES;
  if (!isHuge) spellings.add("base64url", base64urlForms(base64), MIN_ENCODED_BYTES);
  spellings.add("hex", isHuge ? hex.slice(0, 1) : hex, MIN_ENCODED_BYTES);
}

/** The text that the bytes are in UTF-8. */
function textOf(bytes: string): string | undefined {
  try {
    return UTF8.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return undefined;
  }
}

/** Without the white space around it. Not String.trim: that would cut A0, which is half a character in UTF-8. */
export function trim(bytes: string): string {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes.charCodeAt(start))) start++;
  while (end > start && isSpace(bytes.charCodeAt(end - 1))) end--;
  return bytes.slice(start, end);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

import { base64Forms, base64urlForms } from "./encodings/base64.ts";
import { hexForms } from "./encodings/hex.ts";
import { jsonForms } from "./encodings/json.ts";
import { percentForms } from "./encodings/percent.ts";
import { reprForms } from "./encodings/repr.ts";
import { shellForms } from "./encodings/shell.ts";
import { xmlForms } from "./encodings/xml.ts";
import { byteString, type Spelling } from "./needle.ts";
import type { Encoding } from "./redactor.ts";

// The spellings of a value that are looked for. Duplicates are left in: the automaton keeps the first of equal needles,
// so what comes earlier here names the encoding.

const MIN_RAW_BYTES = 6;
const MIN_ENCODED_BYTES = 8;
const MIN_LINE_BYTES = 16;

// Of such bytes no escaper changes any.
const UNRESERVED = /^[A-Za-z0-9_.-]*$/;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const PEM_BOUNDARY = /^-----(BEGIN|END) .*-----$/;

/** Empty if the value is too short to be looked for. */
export function spellingsOf(value: string | Uint8Array): Spelling[] {
  const bytes = trim(typeof value === "string" ? byteString(value) : Buffer.from(value).toString("latin1"));
  if (bytes.length < MIN_RAW_BYTES) return [];

  const spellings: Spelling[] = [];
  addWhole(spellings, bytes, "raw");
  addLeaves(spellings, bytes);
  return spellings;
}

function addWhole(spellings: Spelling[], bytes: string, encoding: Encoding): void {
  addText(spellings, bytes, encoding);
  addEncoded(spellings, bytes);
  if (/[\t\n\v\f\r]| {2}/.test(bytes)) add(spellings, "spaces", [bytes.replace(/[\t-\r ]+/g, " ")]);
  if (bytes.includes("\n")) addMultiLine(spellings, bytes);
}

function addMultiLine(spellings: Spelling[], bytes: string): void {
  const lines = bytes.split(/\r?\n/);
  for (const [encoding, newline] of [
    ["lf", "\n"],
    ["crlf", "\r\n"],
  ] as const) {
    const layout = lines.join(newline);
    if (layout === bytes) continue;
    addText(spellings, layout, encoding);
    addEncoded(spellings, layout);
  }
  add(spellings, "spaces", [lines.join(" ")]);
  for (const line of lines) {
    const content = trim(line);
    if (content.length >= MIN_LINE_BYTES && !PEM_BOUNDARY.test(content)) addText(spellings, content, "line");
  }
}

// A value that is a JSON document is also used, and printed, in parts.
function addLeaves(spellings: Spelling[], bytes: string): void {
  for (const leaf of leavesOf(bytes)) {
    const content = trim(byteString(leaf));
    if (content.length < MIN_RAW_BYTES) continue;
    addWhole(spellings, content, "leaf");
    addLeaves(spellings, content);
  }
}

function leavesOf(bytes: string): string[] {
  if (!bytes.startsWith("{") && !bytes.startsWith("[")) return [];
  const leaves: string[] = [];
  try {
    JSON.parse(textOf(bytes) ?? "", (_key, value: unknown) => {
      if (typeof value === "string") leaves.push(value);
    });
  } catch {
    // Not JSON, then: it only looked like it. The error would quote the value.
  }
  return leaves;
}

// The bytes and their escaped forms, which are as unmistakable as the bytes themselves.
function addText(spellings: Spelling[], bytes: string, encoding: Encoding): void {
  add(spellings, encoding, [bytes]);
  if (UNRESERVED.test(bytes)) return;
  const text = textOf(bytes);
  if (text !== undefined) add(spellings, "json", jsonForms(text));
  add(spellings, "repr", reprForms(bytes, text));
  add(spellings, "shell", shellForms(bytes));
  add(spellings, "xml", xmlForms(bytes));
  add(spellings, "percent", percentForms(bytes));
}

function addEncoded(spellings: Spelling[], bytes: string): void {
  const value = Buffer.from(bytes, "latin1");
  const base64 = base64Forms(value);
  for (const [encoding, forms] of [
    ["base64", base64],
    ["base64url", base64urlForms(base64)],
    ["hex", hexForms(value)],
  ] as const) {
    add(
      spellings,
      encoding,
      forms.filter((form) => form.length >= MIN_ENCODED_BYTES),
    );
  }
}

// The minimum is asked of every spelling: six spaces between two letters shrink to one.
function add(spellings: Spelling[], encoding: Encoding, forms: readonly string[]): void {
  for (const bytes of forms) if (bytes.length >= MIN_RAW_BYTES) spellings.push({ bytes, encoding });
}

/** The text that the bytes are in UTF-8. */
function textOf(bytes: string): string | undefined {
  try {
    return UTF8.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return undefined;
  }
}

// Not String.trim: it would cut A0, which is half a character in UTF-8.
function trim(bytes: string): string {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes.charCodeAt(start))) start++;
  while (end > start && isSpace(bytes.charCodeAt(end - 1))) end--;
  return bytes.slice(start, end);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

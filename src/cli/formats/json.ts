import { endOfString, findExcess } from "../../vault/record.ts";
import { Secret } from "../../vault/secret.ts";
import { VaultError } from "../../vault-error.ts";
import {
  type Entry,
  MAX_ENTRIES,
  type NamedValue,
  repeatedIn,
  type Skipped,
  type Source,
  shownName,
} from "./source.ts";

/** What is nested is skipped: only to be parsed at all. */
const MAX_DEPTH = 64;

/** A flat object. Numbers and booleans are taken as they are spelled there; what is nested is skipped. */
export function parseJson(text: string, where: string): Source {
  const entries: Entry[] = [];
  const skipped: Skipped[] = [];
  for (const [name, value] of Object.entries(parsedObject(text, where))) {
    if (typeof value !== "string") skipped.push({ name: shownName(name), why: `it is ${kindOf(value)}` });
    else if (!value.isWellFormed())
      skipped.push({ name: shownName(name), why: "it holds half a character (a lone surrogate)" });
    else entries.push({ name, value: new Secret(shownName(name), Buffer.from(value)) });
  }
  return { entries, skipped, repeated: repeatedIn(namesAtTop(Buffer.from(text))).map(shownName), cut: [] };
}

function parsedObject(text: string, where: string): object {
  const excess = findExcess(Buffer.from(text), MAX_DEPTH, MAX_ENTRIES);
  if (excess !== undefined) {
    throw new VaultError("bad-value", `${excess}: ${where}`, "split the file; nothing was imported");
  }
  let value: unknown;
  try {
    value = JSON.parse(text, asSpelled);
  } catch {
    // What the parser says of it quotes it.
    throw new VaultError("bad-value", `not valid JSON: ${where}`, 'give one flat object: {"NAME": "value"}');
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new VaultError("bad-value", `not a JSON object: ${where}`, 'give one flat object: {"NAME": "value"}');
}

/** The name of every member, in the order they stand there; JSON.parse keeps the last of a name. `bytes` are valid JSON. */
function namesAtTop(bytes: Buffer): string[] {
  const names: string[] = [];
  let depth = 0;
  let string = { start: 0, end: 0 };
  for (let i = 0; i < bytes.length; i++) {
    const character = String.fromCharCode(bytes[i] ?? 0);
    if (character === '"') {
      string = { start: i, end: endOfString(bytes, i) };
      i = string.end;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === ":" && depth === 1)
      names.push(JSON.parse(bytes.toString("utf8", string.start, string.end + 1)) as string);
  }
  return names;
}

/** A number's own digits: as a number, 12345678901234567890 would be another. */
function asSpelled(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value === "boolean") return String(value);
  return typeof value === "number" ? (context?.source ?? String(value)) : value;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : "an object";
}

export function formatJson(values: readonly NamedValue[]): string {
  const members = values.map(
    ({ name, value }) => `  ${JSON.stringify(name)}: ${JSON.stringify(value.reveal())}`,
  );
  return members.length === 0 ? "{}\n" : `{\n${members.join(",\n")}\n}\n`;
}

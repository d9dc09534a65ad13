import { VaultError } from "../vault-error.ts";

// The grammars of docs/FORMAT.md, section 2: whatever passes is one path segment (no separator, no leading dot or dash, no
// NUL) and safe to print on a terminal.

export type AgentName = string & { readonly __brand: "AgentName" };
export type GroupName = string & { readonly __brand: "GroupName" };
export type SecretName = string & { readonly __brand: "SecretName" };
export type VaultId = string & { readonly __brand: "VaultId" };

/** A secret's place: its group and its name in it, written `GROUP/NAME`. */
export interface SecretRef {
  readonly group: GroupName;
  readonly name: SecretName;
}

export const GROUP_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
export const VAULT_ID = /^[0-9a-f]{32}$/;

// In numbers: by their properties (Cc, Zl, Zp, Bidi_Control) they would cost every launch a look into the tables of Unicode.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const LOWER_NAME_HINT = "use 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit";
const VARIABLE_HINT =
  "use a name an environment variable can have: letters, digits and _, at most 128, no digit first";

export function parseAgentName(text: string): AgentName {
  if (GROUP_NAME.test(text)) return text as AgentName;
  throw new VaultError("bad-name", `not an agent's name: ${shownWord(text)}`, LOWER_NAME_HINT);
}

export function parseOwnerName(text: string): string {
  if (GROUP_NAME.test(text)) return text;
  throw new VaultError("bad-name", `not an owner's name: ${shownWord(text)}`, LOWER_NAME_HINT);
}

export function parseGroupName(text: string): GroupName {
  if (GROUP_NAME.test(text)) return text as GroupName;
  throw new VaultError("bad-name", `not a group's name: ${shownWord(text)}`, LOWER_NAME_HINT);
}

export function parseSecretName(text: string): SecretName {
  if (SECRET_NAME.test(text)) return text as SecretName;
  throw new VaultError("bad-name", `not a secret's name: ${shownWord(text)}`, VARIABLE_HINT);
}

export function parseVariableName(text: string): string {
  if (SECRET_NAME.test(text)) return text;
  throw new VaultError("bad-name", `not a variable's name: ${shownWord(text)}`, VARIABLE_HINT);
}

/** Parses `GROUP/NAME`. What stands behind an `=` may be a value someone typed there: it is never repeated. */
export function parseSecretRef(text: string): SecretRef {
  const slash = text.indexOf("/");
  if (slash === -1) {
    throw new VaultError("bad-name", "no group before the secret's name", "write it as GROUP/NAME");
  }
  return { group: parseGroupName(text.slice(0, slash)), name: parseSecretName(text.slice(slash + 1)) };
}

export function formatRef(ref: SecretRef): string {
  return `${ref.group}/${ref.name}`;
}

/** A word from the command line as a message may show it: without what may be a value. */
function shownWord(text: string): string {
  const [name = "", ...rest] = text.split("=");
  return `${printable(name)}${rest.length > 0 ? " and something behind an =, which is not shown" : ""}`;
}

/** Untrusted text made fit for one line of a terminal: quoted, control characters escaped, cut at 80 characters. */
export function printable(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return withoutControls(JSON.stringify(cut));
}

/** Control characters, line and paragraph separators, and what changes the direction of text, as escapes. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

export function hasControls(text: string): boolean {
  return text.search(CONTROLS) !== -1;
}

/** A path as a shell takes it, for the next step. */
export function shellWord(path: string): string {
  return /^[\w./+@:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

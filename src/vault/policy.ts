import { VaultError } from "../vault-error.ts";
import { printable } from "./names.ts";
import { type GroupRecord, isDescription, ORIGIN } from "./schema.ts";

// What an owner lets an agent do with a group's values besides having them: part of the signed group record. It binds the
// programs that hand values over on behalf of someone else (`vault-run mcp`), not whoever has the key.

export type GroupPolicy = GroupRecord["policy"];
/** The beginning of an argument vector. */
export type CommandRule = readonly [string, ...string[]];

/** What may be repeated of a URL: user, password, path and query can be secrets. */
const HARMLESS = /^([a-z]+:\/\/)?[^/\\@?#]*\/?$/i;

/** A policy with every field there; `commands` is null where any is allowed. */
export interface ShownPolicy {
  readonly reveal: boolean;
  readonly commands: readonly (readonly string[])[] | null;
  readonly origins: readonly string[];
}

export function shownPolicy({ reveal, commands, origins }: GroupPolicy): ShownPolicy {
  return { reveal: reveal === true, commands: commands ?? null, origins: origins ?? [] };
}

/**
 * `gh api` → its words; `["node", "a script.js"]`, a JSON array, where a word has a space in it.
 *
 * @throws {VaultError} `usage` for what is no beginning of a command, or would be another program in another folder.
 */
export function parseCommandRule(text: string): CommandRule {
  const words = text.trimStart().startsWith("[") ? jsonWords(text) : text.split(" ").filter(isNotEmpty);
  const [program, ...rest] = words ?? [];
  if (program === undefined || ![program, ...rest].every(isDescription)) {
    throw new VaultError(
      "usage",
      `not the beginning of a command: ${printable(text)}`,
      'write its words with spaces between them, or as a JSON array: \'["gh", "api"]\'',
    );
  }
  if (program.includes("/") && !program.startsWith("/")) {
    throw new VaultError(
      "usage",
      `a relative path is another program in another folder: ${printable(program)}`,
      "give the program's absolute path, or a name that is looked for in the PATH",
    );
  }
  return [program, ...rest];
}

/**
 * An origin as URLs have it: scheme, host, and the port where it is not the scheme's own.
 *
 * @throws {VaultError} `usage` for anything more or less, and for http to another machine.
 */
export function parseOrigin(text: string): string {
  const url = URL.parse(text);
  const spelled = url?.origin;
  if (
    url === null ||
    spelled === undefined ||
    (text !== spelled && text !== `${spelled}/`) ||
    !ORIGIN.test(spelled)
  ) {
    throw new VaultError(
      "usage",
      `not an origin: ${HARMLESS.test(text) ? printable(text) : "there is more in it than scheme, host and port, which is not shown"}`,
      `write scheme, host and, where it is another, the port: ${findMeantOrigin(url) ?? "https://api.example.org"}`,
    );
  }
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname))) return spelled;
  throw new VaultError(
    "usage",
    `a secret is sent over https alone: ${printable(text)}`,
    "give the https origin; http is for localhost, 127.0.0.1 and [::1], in development",
  );
}

/** Undefined where a password with a / in it may have cut the host short. */
function findMeantOrigin(url: URL | null): string | undefined {
  if (url === null || !ORIGIN.test(url.origin)) return undefined;
  return `${url.pathname}${url.search}${url.hash}`.includes("@") ? undefined : url.origin;
}

/** A host that is this machine by its name alone; a URL's `hostname`. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether the command begins with one of the rules. Where there is no list, any command does. */
export function allowsCommand({ commands }: GroupPolicy, command: readonly string[]): boolean {
  return commands === undefined || commands.some((rule) => rule.every((word, at) => command[at] === word));
}

export function formatCommandRule(rule: readonly string[]): string {
  return rule.some((word) => /[\s"'[\\]/.test(word)) ? JSON.stringify(rule) : rule.join(" ");
}

function jsonWords(text: string): string[] | undefined {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === "string") ? words : undefined;
  } catch {
    return undefined;
  }
}

function isNotEmpty(word: string): boolean {
  return word !== "";
}

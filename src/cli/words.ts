import { MistypedWord, VaultError } from "../vault-error.ts";

// The words of a command line: options, of which each is in a table, and the others. As strict as node's own parser is, which
// a launch would load for half a millisecond: an option that is not in the table, a value that is missing or is not taken
// are errors. A value stays the text that it is.

export interface OptionKind {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
}

/** Options by name: a list where one may be repeated. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface ParsedWords {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
}

/** The value of an option that takes one of a few words. */
export function oneOf<T extends string>(
  option: string,
  choices: readonly T[],
  word: string,
  help: string,
): T {
  const choice = choices.find((candidate) => candidate === word);
  if (choice !== undefined) return choice;
  throw new MistypedWord("usage", `--${option} takes ${choices.join(", ")}`, `see ${help}`, {
    word,
    choices: () => choices,
    before: `--${option} `,
  });
}

/** @param help what tells more: `vault-run --help`. */
export function parseWords(
  words: readonly string[],
  options: Readonly<Record<string, OptionKind>>,
  help: string,
): ParsedWords {
  const values: Record<string, string | boolean | string[]> = {};
  const positionals: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      positionals.push(...words.slice(at + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = word.slice(2, equals === -1 ? undefined : equals);
    const option = word.startsWith("--") && Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined)
      throw new MistypedWord("usage", noSuchOption(word), `see ${help}`, {
        word: name,
        choices: () => Object.keys(options),
        before: "--",
      });
    if (option.type === "boolean") {
      if (equals !== -1) throw usage(`option '--${name}' does not take a value`, help);
      values[name] = true;
      continue;
    }
    const value = equals === -1 ? words[++at] : word.slice(equals + 1);
    // Nothing is what an unset variable of a shell leaves: as a path it would be the current folder. What looks like an
    // option was hardly meant as a value; written with an `=`, it was.
    if (value === undefined || value === "" || (equals === -1 && value.length > 1 && value.startsWith("-")))
      throw usage(`option '--${name}' needs a value`, help);
    const before = values[name];
    if (option.multiple !== true) values[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else values[name] = [value];
  }
  return { values, positionals };
}

/** What may be a value that was typed in the wrong place is not repeated. */
function noSuchOption(word: string): string {
  const name = /^(-[a-z]$|--[a-z][a-z-]{0,23}(?==|$))/.exec(word)?.[1];
  return name === undefined ? "no such option" : `unknown option '${name}'`;
}

function usage(what: string, help: string): VaultError {
  return new VaultError("usage", what, `see ${help}`);
}

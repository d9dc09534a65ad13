import { MistypedWord, VaultError } from "../vault-error.ts";
import { optionName, takesValue, type Verb } from "./verbs/verb.ts";
import { VERBS } from "./verbs.ts";
import { type OptionKind, type OptionValues, parseWords } from "./words.ts";

// A verb's words in, its options out, as strict as a launch's (arguments.ts).

export type VerbRequest =
  | { readonly kind: "help"; readonly verb: Verb | undefined }
  | { readonly kind: "version" }
  | {
      readonly kind: "verb";
      readonly verb: Verb;
      readonly values: OptionValues;
      readonly words: readonly string[];
    };

/** Words that are no launch's. */
export function parseVerbRequest(words: readonly string[]): VerbRequest {
  const [first, ...rest] = words;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    return {
      kind: "help",
      verb: first === "help" && rest[0] !== undefined ? findVerb(rest).verb : undefined,
    };
  }
  if (first === "--version" || first === "-v" || first === "version") return { kind: "version" };
  const found = findVerb(words);
  return parseVerb(found.verb, found.rest);
}

function parseVerb(verb: Verb, words: readonly string[]): VerbRequest {
  const options: Record<string, OptionKind> = { help: { type: "boolean" } };
  for (const option of verb.options)
    options[optionName(option)] = {
      type: takesValue(option) ? "string" : "boolean",
      multiple: option.multiple === true,
    };
  const help = `vault-run ${verb.name} --help`;
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const spelled = words.map((word, at) => (word === "-h" && at < end ? "--help" : word));
  const { values, positionals } = parseWords(spelled, options, help);
  if (values.help === true) return { kind: "help", verb };
  const needed = verb.takes.split(" ").filter((word) => word.startsWith("<")).length;
  const takesAny = verb.takes.endsWith("...]");
  const allowed = takesAny
    ? Number.POSITIVE_INFINITY
    : verb.takes.split(" ").filter((word) => word !== "").length;
  if (positionals.length < needed || positionals.length > allowed)
    throw wrongCount(verb, positionals.length, help);
  return { kind: "verb", verb, values, words: positionals };
}

/** Words too many may be a value: they are not repeated. */
function wrongCount({ name, takes }: Verb, given: number, help: string): VaultError {
  const were = given === 0 ? "nothing was" : given === 1 ? "one word was" : `${given} words were`;
  const what = `${name} takes ${takes === "" ? "no arguments" : takes}, and ${were} given`;
  if (name !== "set" || given < 2) return new VaultError("usage", what, `see ${help}`);
  return new VaultError(
    "usage",
    what,
    "a value is never taken from the command line, which the shell's history and other programs see: run vault-run set GROUP/NAME, and it is asked for",
  );
}

/** The verb that words begin with, and the words behind it. */
function findVerb([first = "", ...rest]: readonly string[]): { verb: Verb; rest: readonly string[] } {
  const [second = ""] = rest;
  const both = VERBS.find(({ name }) => name === `${first} ${second}`);
  if (both !== undefined) return { verb: both, rest: rest.slice(1) };
  const verb = VERBS.find(({ name }) => name === first);
  if (verb === undefined) throw noSuchVerb(first, "");
  if (/^[^-]/.test(second) && secondWords(first).length > 0) throw noSuchVerb(second, `${first} `);
  return { verb, rest };
}

/** What may follow a verb's first word. */
function secondWords(first: string): string[] {
  return VERBS.flatMap(({ name }) => (name.startsWith(`${first} `) ? name.slice(first.length + 1) : []));
}

/** It may be a value: only what looks like a verb is repeated. */
function noSuchVerb(word: string, before: string): VaultError {
  const what = /^[a-z-]{1,20}$/.test(word) ? `no such verb: ${before}${word}` : "no such verb";
  const choices = before === "" ? VERBS.map(({ name }) => name) : secondWords(before.trimEnd());
  const help = `vault-run ${before}--help`;
  const launch = before === "" ? "; to launch a program: vault-run --agent NAME -- COMMAND" : "";
  return new MistypedWord("usage", what, `see ${help}${launch}`, { word, choices: () => choices, before });
}

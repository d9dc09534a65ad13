import { VaultError } from "../vault-error.ts";
import { optionName, takesValue, VERBS, type Verb } from "./verbs.ts";
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
    return { kind: "help", verb: first === "help" && rest[0] !== undefined ? findVerb(rest[0]) : undefined };
  }
  if (first === "--version" || first === "-v") return { kind: "version" };
  return parseVerb(findVerb(first), rest);
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
  const allowed = verb.takes.split(" ").filter((word) => word !== "").length;
  if (positionals.length < needed || positionals.length > allowed) {
    const takes = verb.takes === "" ? "no arguments" : verb.takes;
    throw new VaultError(
      "usage",
      `${verb.name} takes ${takes}, and there are ${positionals.length}`,
      `see ${help}`,
    );
  }
  return { kind: "verb", verb, values, words: positionals };
}

function findVerb(name: string): Verb {
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (verb !== undefined) return verb;
  const near = VERBS.find((candidate) => distance(candidate.name, name) <= 2);
  const hint =
    near === undefined
      ? "see vault-run --help; to launch a program: vault-run --agent NAME -- COMMAND"
      : `did you mean ${near.name}?`;
  throw new VaultError("usage", /^[a-z-]{1,20}$/.test(name) ? `no such verb: ${name}` : "no such verb", hint);
}

/** Levenshtein distance, for suggestions. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, left] of [...a].entries()) {
    const row = [i + 1];
    for (const [j, right] of [...b].entries()) {
      row.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (previous[j + 1] ?? 0) + 1,
          (previous[j] ?? 0) + (left === right ? 0 : 1),
        ),
      );
    }
    previous = row;
  }
  return previous.at(-1) ?? 0;
}

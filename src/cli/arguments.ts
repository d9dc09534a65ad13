import type { ParseArgsConfig } from "node:util";
import { TTY_MODES } from "../launch/choose-terminal.ts";
import type { LaunchOptions } from "../launch/launch.ts";
import { LEAK_POLICIES } from "../launch/leaks.ts";
import { systemCode, VaultError } from "../vault-error.ts";
import type { OptionValues } from "./context.ts";
import { LAUNCH_OPTIONS } from "./launch-options.ts";
import { optionName, takesValue, VERBS, type Verb } from "./verbs.ts";

// Not imported: an import of this module looks at all that it exports, opens standard error for that, and with it a
// terminal that every child would have.
const { parseArgs } = process.getBuiltinModule("node:util");

// Words in, typed options out. Strict: an unknown option, a missing value or a word too many is an error that names it.

export type Request =
  | { readonly kind: "help"; readonly verb: Verb | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "launch"; readonly options: LaunchOptions; readonly dryRun: boolean }
  | {
      readonly kind: "verb";
      readonly verb: Verb;
      readonly values: OptionValues;
      readonly words: readonly string[];
    };

/** Whether these words ask for a launch: its errors end with 125. */
export function asksForLaunch(words: readonly string[]): boolean {
  const [first] = words;
  return words.includes("--") && (first === undefined || first.startsWith("-"));
}

export function parseRequest(words: readonly string[]): Request {
  const [first, ...rest] = words;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    return { kind: "help", verb: first === "help" && rest[0] !== undefined ? findVerb(rest[0]) : undefined };
  }
  if (first === "--version" || first === "-v") return { kind: "version" };
  return first.startsWith("-") ? parseLaunch(words) : parseVerb(findVerb(first), rest);
}

function parseLaunch(words: readonly string[]): Request {
  const separator = words.indexOf("--");
  const [program, ...args] = separator === -1 ? [] : words.slice(separator + 1);
  const own = separator === -1 ? words : words.slice(0, separator);
  const { values } = strictly(
    () => parseArgs({ args: [...own], options: LAUNCH_OPTIONS, strict: true, allowPositionals: false }),
    "vault-run --help",
  );
  if (program === undefined || program === "") {
    const what = separator === -1 ? "no -- before the command" : "no command after --";
    throw new VaultError("usage", what, "write it as: vault-run --agent NAME -- COMMAND [ARG...]");
  }
  const redact = values["no-redact"] !== true;
  const tty = oneOf("tty", TTY_MODES, values.tty ?? "auto");
  const onLeak = oneOf("on-leak", LEAK_POLICIES, values["on-leak"] ?? "report");
  const needing = tty === "pty" ? "--tty pty" : onLeak === "kill" ? "--on-leak kill" : undefined;
  if (!redact && needing !== undefined) {
    const hint = "leave one of them out";
    throw new VaultError("usage", `${needing} needs the output, which --no-redact leaves alone`, hint);
  }
  return {
    kind: "launch",
    dryRun: values["dry-run"] === true,
    options: {
      command: [program, ...args],
      agent: values.agent,
      vault: values.vault,
      keyFile: values["key-file"],
      group: values.group ?? [],
      only: values.only ?? [],
      env: values.env ?? [],
      file: values.file ?? [],
      pipe: values.pipe ?? [],
      cleanEnv: values["clean-env"] === true,
      pass: values.pass ?? [],
      strictEnv: values["strict-env"] === true,
      allowExpired: values["allow-expired"] === true,
      redact,
      tty,
      onLeak,
      quiet: values.quiet === true,
    },
  };
}

function oneOf<T extends string>(option: string, choices: readonly T[], word: string): T {
  const choice = choices.find((candidate) => candidate === word);
  if (choice !== undefined) return choice;
  throw new VaultError("usage", `--${option} takes ${choices.join(", ")}`, "see vault-run --help");
}

function parseVerb(verb: Verb, words: readonly string[]): Request {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const option of verb.options)
    options[optionName(option)] = {
      type: takesValue(option) ? "string" : "boolean",
      multiple: option.multiple === true,
    };
  const help = `vault-run ${verb.name} --help`;
  const parsed = strictly(
    () => parseArgs({ args: [...words], options, strict: true, allowPositionals: true }),
    help,
  );
  const values = parsed.values as OptionValues;
  if (values.help === true) return { kind: "help", verb };
  const needed = verb.takes.split(" ").filter((word) => word.startsWith("<")).length;
  const allowed = verb.takes.split(" ").filter((word) => word !== "").length;
  if (parsed.positionals.length < needed || parsed.positionals.length > allowed) {
    const takes = verb.takes === "" ? "no arguments" : verb.takes;
    throw new VaultError(
      "usage",
      `${verb.name} takes ${takes}, and there are ${parsed.positionals.length}`,
      `see ${help}`,
    );
  }
  return { kind: "verb", verb, values, words: parsed.positionals };
}

function strictly<T>(parse: () => T, help: string): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Error) || systemCode(error)?.startsWith("ERR_PARSE_ARGS") !== true) throw error;
    // A word that is out of place may be a value: it is not repeated.
    if (systemCode(error) === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
      throw new VaultError("usage", "a word before -- that belongs to no option", `see ${help}`);
    }
    const named = /'(--?[^' ]+)/.exec(error.message)?.[1] ?? "";
    if (!/^(--?[a-z][a-z-]{0,23})?$/.test(named))
      throw new VaultError("usage", "no such option", `see ${help}`);
    // The first sentence names the option; the rest is advice for programmers.
    const sentence = error.message.split(/\. |\n/)[0] ?? "";
    throw new VaultError("usage", sentence.charAt(0).toLowerCase() + sentence.slice(1), `see ${help}`);
  }
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

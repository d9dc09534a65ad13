import {
  GIVEN_VARIABLE,
  inOneLine,
  LAUNCH_EXAMPLES,
  LAUNCH_STATUSES,
  LAUNCH_TERMS,
  type Term,
  USAGES,
  VARIABLES,
  VERB_ENTRIES,
  type VerbEntry,
} from "./manual.ts";

// docs/REFERENCE.md.

export function referencePage(): string {
  const lines = [
    "# Reference",
    "",
    "Every verb, option, exit status and variable, in the words of `vault-run --help`. This page is made by `npm run reference` from what the",
    "program itself goes by. [CLI.md](CLI.md) tells the rest: what a verb does where something is in its way, and why.",
    "",
    ...USAGES.map((usage) => `    ${usage}`),
    "",
    "## Launching",
    "",
    ...table("option", LAUNCH_TERMS),
    "",
    ...fenced(LAUNCH_EXAMPLES),
    "",
    "A launch ends with:",
    "",
    ...table("status", LAUNCH_STATUSES),
    "",
    "## Verbs",
    "",
    "| verb | what it does |",
    "|---|---|",
    ...VERB_ENTRIES.map(({ name, about }) => `| [\`${name}\`](#${anchor(name)}) | ${cell(about)} |`),
    ...VERB_ENTRIES.flatMap(verbLines),
    "",
    "## Variables",
    "",
    "A variable of vault-run's own that is set but empty is an error.",
    "",
    ...table("variable", VARIABLES, "what it is, or the option that it stands for"),
    "",
    `\`${GIVEN_VARIABLE.word}\` is not read, but ${GIVEN_VARIABLE.about} ([MCP.md](MCP.md#running-programs)).`,
  ];
  return `${lines.join("\n")}\n`;
}

function verbLines({ name, usage, about, options, statuses, examples }: VerbEntry): string[] {
  return [
    "",
    `### ${name}`,
    "",
    `    ${usage}`,
    "",
    `${capital(about)}.`,
    "",
    ...table("option", options),
    "",
    `Exit status: ${inOneLine(statuses)}.`,
    "",
    ...fenced(examples),
  ];
}

function table(kind: string, terms: readonly Term[], what = "what it is"): string[] {
  const rows = terms.map(({ word, takes, about }) => {
    const shown = /^[a-z]+ /.test(word) ? word : `\`${takes === undefined ? word : `${word} ${takes}`}\``;
    return `| ${shown} | ${cell(about)} |`;
  });
  return [`| ${kind} | ${kind === "status" ? "what it means" : what} |`, "|---|---|", ...rows];
}

function fenced(lines: readonly string[]): string[] {
  return ["```sh", ...lines, "```"];
}

/** As GitHub makes one of a heading. */
function anchor(heading: string): string {
  return heading.replaceAll(" ", "-");
}

function cell(plain: string): string {
  return plain.replaceAll(/[|*<]/g, "\\$&");
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

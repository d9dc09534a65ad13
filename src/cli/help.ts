import { type CAC, cac } from "cac";
import { LAUNCH_EXAMPLES, LAUNCH_STATUSES, LAUNCH_TERMS, type Term, VARIABLES, verbEntry } from "./manual.ts";
import type { Verb } from "./verbs/verb.ts";
import { VERBS } from "./verbs.ts";
import { VERSION } from "./version.ts";

/** Where less is left for what is said, the terminal breaks the lines. */
const NARROWEST = 24;

// Help is cac's, from the verbs' table. Parsing is not: cac makes the number 7 of the name 007 for good and reads
// `--__proto__.x` as a path, so arguments are parsed by words.ts.

/** Prints the page of a verb, or the page of the whole program. */
export function printHelp(verb: Verb | undefined, columns: number): void {
  const cli = cac("vault-run");
  if (verb === undefined) describeProgram(cli);
  else describeVerb(cli, verb);
  const more =
    verb === undefined
      ? [section("Exit status of a launch", LAUNCH_STATUSES), section("Variables", VARIABLES)]
      : [section("Exit status", verbEntry(verb).statuses)];
  // What a page of the whole program is made of; a verb's has its own options and no other verbs.
  const titles = verb === undefined ? { Commands: "Verbs", Options: "Options of a launch" } : {};
  cli.help((sections) => tidied([...sections, ...more], titles, columns));
  // The argument vector is ours, not the user's: it only tells cac which page to print.
  cli.parse(["node", "vault-run", ...(verb === undefined ? [] : [verb.name]), "--help"], { run: false });
}

function describeProgram(cli: CAC): void {
  cli.usage("[options] -- COMMAND [ARG...]\n  $ vault-run VERB ...\n  $ vault-run VERB --help");
  for (const { word, takes, about } of LAUNCH_TERMS)
    cli.option(takes === undefined ? word : `${word} <${takes}>`, about);
  for (const example of LAUNCH_EXAMPLES) cli.example(`  $ ${example}`);
  for (const verb of VERBS) cli.command(`${verb.name} ${verb.takes}`.trim(), verb.about);
  cli.version(VERSION);
}

function describeVerb(cli: CAC, verb: Verb): void {
  const command = cli.command(`${verb.name} ${verb.takes}`.trim(), verb.about);
  command.usage(`${verbEntry(verb).usage.slice("vault-run ".length)}\n\n${verb.about}`);
  for (const option of verb.options) command.option(option.flag.replace(/ (\S+)$/, " <$1>"), option.about);
  for (const example of verb.examples) command.example(`  $ ${example}`);
}

function section(title: string, terms: readonly Term[]): { title: string; body: string } {
  const width = Math.max(...terms.map(({ word }) => word.length));
  return { title, body: terms.map(({ word, about }) => `  ${word.padEnd(width)}  ${about}`).join("\n") };
}

/**
 * Without the list of every verb's help call, the program's name alone on a line, the defaults that cac invents for
 * `--no-…`, and trailing spaces; cac's words as ours; in a window, what is said of a verb or an option goes on below itself.
 */
function tidied(
  sections: { title?: string; body: string }[],
  titles: Readonly<Record<string, string>>,
  columns: number,
) {
  return sections
    .filter((section) => section.title?.startsWith("For more info") !== true && section.body !== "vault-run")
    .map(({ title, body }) => ({
      ...(title === undefined ? {} : { title: titles[title] ?? title }),
      body: body
        .replaceAll(" (default: true)", "")
        .replace("Display this message", "show this page")
        .replace("Display version number", "show the version")
        .split("\n")
        .map((line) => wrapped(line.trimEnd(), columns))
        .join("\n"),
    }));
}

/** `  --out FILE  what it is`: what comes behind two spaces in the line is kept apart from what stands before them. */
function wrapped(line: string, columns: number): string {
  const left = /^ {2}\S.*? {2,}(?=\S)/.exec(line)?.[0] ?? "";
  if (line.length <= columns || line.startsWith("  $ ") || columns - left.length < NARROWEST) return line;
  const lines: string[] = [];
  let rest = line.slice(left.length);
  while (rest.length > columns - left.length) {
    const space = rest.lastIndexOf(" ", columns - left.length);
    if (space < 1) break;
    lines.push(rest.slice(0, space));
    rest = rest.slice(space + 1);
  }
  return left + [...lines, rest].join(`\n${" ".repeat(left.length)}`);
}

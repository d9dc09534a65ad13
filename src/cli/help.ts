import { type CAC, cac } from "cac";
import { LAUNCH_OPTIONS } from "./launch-options.ts";
import { VERBS, type Verb } from "./verbs.ts";
import { VERSION } from "./version.ts";

// Help is cac's, from the verbs' table. Parsing is not: cac makes the number 7 of the name 007 for good and reads
// `--__proto__.x` as a path, so arguments are parsed by words.ts.

/** Prints the page of a verb, or the page of the whole program. */
export function printHelp(verb: Verb | undefined): void {
  const cli = cac("vault-run");
  if (verb === undefined) describeProgram(cli);
  else describeVerb(cli, verb);
  cli.help(tidied);
  // The argument vector is ours, not the user's: it only tells cac which page to print.
  cli.parse(["node", "vault-run", ...(verb === undefined ? [] : [verb.name]), "--help"], { run: false });
}

function describeProgram(cli: CAC): void {
  cli.usage("[options] -- COMMAND [ARG...]\n  $ vault-run VERB ...      (vault-run VERB --help tells more)");
  for (const [name, option] of Object.entries(LAUNCH_OPTIONS)) {
    cli.option("takes" in option ? `--${name} <${option.takes}>` : `--${name}`, option.about);
  }
  for (const verb of VERBS) cli.command(`${verb.name} ${verb.takes}`.trim(), verb.about);
  cli.version(VERSION);
}

function describeVerb(cli: CAC, verb: Verb): void {
  const command = cli.command(`${verb.name} ${verb.takes}`.trim(), verb.about);
  command.usage(`${verb.name} ${verb.takes} [options]\n\n${verb.about}`);
  for (const option of verb.options) command.option(option.flag.replace(/ (\S+)$/, " <$1>"), option.about);
  for (const example of verb.examples) command.example(`  $ ${example}`);
}

/** Without the list of every verb's help call, the defaults that cac invents for `--no-…`, and trailing spaces. */
function tidied(sections: { title?: string; body: string }[]) {
  return sections
    .filter((section) => section.title?.startsWith("For more info") !== true)
    .map((section) => ({
      ...section,
      body: section.body.replaceAll(" (default: true)", "").replace(/ +$/gm, ""),
    }));
}

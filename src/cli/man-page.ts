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

// vault-run(1) in the man macros.

const FILES: readonly Term[] = [
  { word: ".vault/", about: "the vault: signed records and ciphertext, to be committed" },
  {
    word: "$XDG_CONFIG_HOME/vault-run/VAULT ID/owner.key",
    about: "the owner's key; without the variable, in ~/.config",
  },
  { word: "$XDG_CONFIG_HOME/vault-run/VAULT ID/agents/AGENT.key", about: "an agent's key" },
  {
    word: "$XDG_STATE_HOME/vault-run/VAULT ID/",
    about: "the audit log, and what this machine has seen; without the variable, in ~/.local/state",
  },
];

/** @param day the page's date, as 2027-01-31. */
export function manPage(version: string, day: string): string {
  const lines = [
    `.TH VAULT\\-RUN 1 "${day}" "vault\\-run ${version}"`,
    ".SH NAME",
    "vault\\-run \\- process launcher and git-native, age-encrypted secret vault for AI agents",
    ".SH SYNOPSIS",
    ...exampleLines(USAGES),
    ".SH DESCRIPTION",
    "Opens what an agent was granted, gives it to a program in its environment or as files in memory, masks it in what",
    "the program prints, and records who pulled what. The owner administers the vault with verbs.",
    ".SH LAUNCH OPTIONS",
    ...LAUNCH_TERMS.flatMap(termLines),
    ".PP",
    "Examples:",
    ".PP",
    ...exampleLines(LAUNCH_EXAMPLES),
    ".SH VERBS",
    ...VERB_ENTRIES.flatMap(verbLines),
    ".SH EXIT STATUS",
    "Of a launch:",
    ...LAUNCH_STATUSES.flatMap(termLines),
    ".PP",
    "Of a verb, what is said with it.",
    ".SH ENVIRONMENT",
    ...[...VARIABLES, GIVEN_VARIABLE].flatMap(termLines),
    ".SH FILES",
    ...FILES.flatMap(termLines),
    ".SH SEE ALSO",
    "\\fBage\\fR(1), \\fBgit\\fR(1)",
  ];
  return `${lines.join("\n")}\n`;
}

function verbLines({ name, usage, about, options, statuses, examples }: VerbEntry): string[] {
  return [
    `.SS ${text(name)}`,
    ...exampleLines([usage]),
    ".PP",
    text(`${about}.`),
    ...options.flatMap(termLines),
    ".PP",
    text(`Exit status: ${inOneLine(statuses)}.`),
    ".PP",
    examples.length === 1 ? "Example:" : "Examples:",
    ".PP",
    ...exampleLines(examples),
  ];
}

function termLines({ word, takes, about }: Term): string[] {
  const value = takes === undefined ? "" : ` \\fI${text(takes)}\\fR`;
  return [".TP", `\\fB${text(word)}\\fR${value}`, text(about)];
}

/** Lines as they are typed. */
function exampleLines(lines: readonly string[]): string[] {
  return [".nf", ...lines.map((line) => `    ${text(line)}`), ".fi"];
}

/** Plain text: nothing in it is a request, an escape or a typographic quote. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll("…", "...");
  return escaped.startsWith(".") ? `\\&${escaped}` : escaped;
}

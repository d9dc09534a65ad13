import { LAUNCH_OPTIONS } from "./launch-options.ts";
import type { Verb } from "./verbs/verb.ts";
import { VERBS } from "./verbs.ts";

// vault-run(1) in the man macros, from the tables that parsing and help come from.

/** @param day the page's date, as 2027-01-31. */
export function manPage(version: string, day: string): string {
  const lines = [
    `.TH VAULT\\-RUN 1 "${day}" "vault\\-run ${version}"`,
    ".SH NAME",
    "vault\\-run \\- process launcher and git-native, age-encrypted secret vault for AI agents",
    ".SH SYNOPSIS",
    "\\fBvault\\-run\\fR [\\fIoptions\\fR] \\fB\\-\\-\\fR \\fICOMMAND\\fR [\\fIARG\\fR...]",
    ".br",
    "\\fBvault\\-run\\fR \\fIVERB\\fR ...",
    ".SH DESCRIPTION",
    "Opens what an agent was granted, gives it to a program in its environment or as files in memory, masks it in what",
    "the program prints, and records who pulled what. The owner administers the vault with verbs.",
    ".SH LAUNCH OPTIONS",
    ...Object.entries(LAUNCH_OPTIONS).flatMap(([name, option]) =>
      described(`--${name}`, "takes" in option ? option.takes : undefined, option.about),
    ),
    ".SH VERBS",
    ...VERBS.flatMap(verbLines),
    ".SH EXIT STATUS",
    "A launch ends as its program does; with 128 + n where signal n ended that, 120 where",
    text("--on-leak kill ended it, 125 where vault-run failed and nothing was started,"),
    "126 where the command is not executable and 127 where there is none.",
    "Verbs end with 0 (done), 1 (refused, or findings) or 2 (usage).",
    ".SH SEE ALSO",
    "\\fBage\\fR(1), \\fBgit\\fR(1)",
  ];
  return `${lines.join("\n")}\n`;
}

function verbLines(verb: Verb): string[] {
  return [
    `.SS ${text(`vault-run ${verb.name} ${verb.takes}`.trim())}`,
    text(`${verb.about}.`),
    ...verb.options.flatMap(({ flag, about }) => {
      const [name = "", takes] = flag.split(" ");
      return described(name, takes, about);
    }),
    ".PP",
    verb.examples.length === 1 ? "Example:" : "Examples:",
    ".PP",
    ".nf",
    ...verb.examples.map((example) => `    ${text(example)}`),
    ".fi",
  ];
}

function described(flag: string, takes: string | undefined, about: string): string[] {
  const value = takes === undefined ? "" : ` \\fI${text(takes)}\\fR`;
  return [".TP", `\\fB${text(flag)}\\fR${value}`, text(about)];
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

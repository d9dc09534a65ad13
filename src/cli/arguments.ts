import { TTY_MODES } from "../launch/choose-terminal.ts";
import type { LaunchOptions } from "../launch/launch.ts";
import { LEAK_POLICIES } from "../launch/leaks.ts";
import { VaultError } from "../vault-error.ts";
import { LAUNCH_OPTIONS } from "./launch-options.ts";
import { type OptionValues, oneOf, parseWords } from "./words.ts";

// A launch's words in, typed options out. Strict: an unknown option, a missing value or a word too many is an error that names it.

const HELP = "vault-run --help";

export interface LaunchRequest {
  readonly options: LaunchOptions;
  readonly dryRun: boolean;
  readonly auditTo: string | undefined;
}

/** Whether these words ask for a launch: its errors end with 125. */
export function asksForLaunch(words: readonly string[]): boolean {
  const [first] = words;
  return words.includes("--") && (first === undefined || first.startsWith("-"));
}

/** Words that no verb begins, and that ask for neither help nor the version, are a launch's. */
export function findLaunch(words: readonly string[]): LaunchRequest | undefined {
  const [first] = words;
  if (first?.startsWith("-") !== true || ["--help", "-h", "--version", "-v"].includes(first))
    return undefined;
  return parseLaunch(words);
}

const NO_SEPARATOR = "no -- before the command";
const WRITTEN_SO = "write it as: vault-run --agent NAME -- COMMAND [ARG...]";

function parseLaunch(words: readonly string[]): LaunchRequest {
  const separator = words.indexOf("--");
  const [program, ...args] = separator === -1 ? [] : words.slice(separator + 1);
  const own = separator === -1 ? words : words.slice(0, separator);
  const { values, positionals } = parseWords(own, LAUNCH_OPTIONS, HELP);
  if (positionals.length > 0) {
    // It may be a value: it is not repeated.
    const what = separator === -1 ? NO_SEPARATOR : "a word before -- that belongs to no option";
    throw new VaultError("usage", what, WRITTEN_SO);
  }
  if (program === undefined || program === "") {
    const what = separator === -1 ? NO_SEPARATOR : "no command after --";
    throw new VaultError("usage", what, WRITTEN_SO);
  }
  const redact = values["no-redact"] !== true;
  const tty = oneOf("tty", TTY_MODES, textOf(values, "tty") ?? "auto", HELP);
  const onLeak = oneOf("on-leak", LEAK_POLICIES, textOf(values, "on-leak") ?? "report", HELP);
  const needing = tty === "pty" ? "--tty pty" : onLeak === "kill" ? "--on-leak kill" : undefined;
  if (!redact && needing !== undefined) {
    const hint = "leave one of them out";
    throw new VaultError("usage", `${needing} needs the output, which --no-redact leaves alone`, hint);
  }
  return {
    dryRun: values["dry-run"] === true,
    auditTo: textOf(values, "audit-to"),
    options: {
      command: [program, ...args],
      agent: textOf(values, "agent"),
      vault: textOf(values, "vault"),
      keyFile: textOf(values, "key-file"),
      group: textsOf(values, "group"),
      only: textsOf(values, "only"),
      env: textsOf(values, "env"),
      file: textsOf(values, "file"),
      pipe: textsOf(values, "pipe"),
      cleanEnv: values["clean-env"] === true,
      pass: textsOf(values, "pass"),
      strictEnv: values["strict-env"] === true,
      allowExpired: values["allow-expired"] === true,
      redact,
      tty,
      onLeak,
      quiet: values.quiet === true,
    },
  };
}

function textOf(values: OptionValues, name: keyof typeof LAUNCH_OPTIONS): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

function textsOf(values: OptionValues, name: keyof typeof LAUNCH_OPTIONS): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value : [];
}

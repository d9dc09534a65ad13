import type { CommandContext } from "../context.ts";

export interface Option {
  /** `--out FILE` takes a value, `--json` takes none. */
  readonly flag: string;
  readonly about: string;
  /** The words that its value can be, where there are only these. */
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly multiple?: boolean;
}

export interface Verb {
  /** One word, or two where the first is a verb of its own. */
  readonly name: string;
  /** Positional arguments: `<needed>` or `[optional]`; `[path...]` for any number. */
  readonly takes: string;
  readonly about: string;
  readonly options: readonly Option[];
  readonly examples: readonly string[];
  /** What its exit statuses mean where that is more than, or other than, VERB_STATUSES (manual.ts) says. */
  readonly statuses?: Readonly<Record<string, string>>;
  readonly load: () => Promise<{ run: Command }>;
}

export type Command = (context: CommandContext) => Promise<number>;

/** The name of an option's variable in parsed values: `--out FILE` → `out`. */
export function optionName(option: Option): string {
  return (option.flag.split(" ")[0] ?? "").slice(2);
}

export function takesValue(option: Option): boolean {
  return option.flag.includes(" ");
}

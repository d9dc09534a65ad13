import { STATUS_NOT_EXECUTABLE, STATUS_NOT_FOUND } from "../launch/child.ts";
import { STATUS_LEAKED } from "../launch/leaks.ts";
import { DONE, LAUNCH_FAILED, REFUSED, USAGE } from "./exit-status.ts";
import { LAUNCH_OPTIONS } from "./launch-options.ts";
import type { Verb } from "./verbs/verb.ts";
import { VERBS } from "./verbs.ts";

// What there is to say of the whole program, from the tables that parsing goes by. Help, vault-run(1) (man-page.ts) and
// docs/REFERENCE.md (reference-page.ts) are this, each in its own form.

/** An option, a variable or a status, and what it is. */
export interface Term {
  readonly word: string;
  /** What its value is called; undefined where it takes none. */
  readonly takes?: string | undefined;
  readonly about: string;
}

export interface VerbEntry {
  readonly name: string;
  /** How it is written: `vault-run grant <agent> <group> [options]`. */
  readonly usage: string;
  readonly about: string;
  readonly options: readonly Term[];
  readonly statuses: readonly Term[];
  readonly examples: readonly string[];
}

export const USAGES = [
  "vault-run [options] -- COMMAND [ARG...]",
  "vault-run VERB ...",
  "vault-run VERB --help",
  "vault-run --version",
] as const;

export const LAUNCH_TERMS: readonly Term[] = Object.entries(LAUNCH_OPTIONS).map(([name, option]) => ({
  word: `--${name}`,
  takes: "takes" in option ? option.takes : undefined,
  about: option.about,
}));

export const LAUNCH_EXAMPLES = [
  "vault-run --agent crawler -- node agent.js",
  "vault-run --agent crawler --dry-run -- node agent.js     # names only",
  "vault-run --agent crawler --only stripe/API_KEY --clean-env -- node agent.js",
  "vault-run --agent crawler --env STRIPE_KEY=stripe/API_KEY -- node agent.js",
  "vault-run --agent crawler --file PGPASSFILE=db/PGPASS -- psql",
] as const;

export const LAUNCH_STATUSES: readonly Term[] = [
  { word: "the program's own", about: "it ended by itself" },
  { word: "128 + n", about: "signal n ended it" },
  { word: String(STATUS_LEAKED), about: "--on-leak kill: a value was in the output" },
  {
    word: String(LAUNCH_FAILED),
    about: "vault-run failed, and nothing was started; or its redaction failed, and the program was killed",
  },
  { word: String(STATUS_NOT_EXECUTABLE), about: "the command is not executable" },
  { word: String(STATUS_NOT_FOUND), about: "the command was not found" },
];

/** What every verb ends with, where its table says nothing else. */
export const VERB_STATUSES: Readonly<Record<string, string>> = {
  [DONE]: "done",
  [REFUSED]: "refused",
  [USAGE]: "a word, a name or a time that it cannot take",
};

export const VARIABLES: readonly Term[] = [
  { word: "VAULT_RUN_AGENT", about: "--agent" },
  { word: "VAULT_RUN_VAULT", about: "--vault" },
  { word: "VAULT_RUN_KEY_FILE", about: "--key-file" },
  { word: "VAULT_RUN_KEY", about: "the text of the agent's key file itself" },
  {
    word: "CREDENTIALS_DIRECTORY",
    about: "systemd's: a credential named vault-run-key is the agent's key",
  },
  { word: "VAULT_RUN_OWNER_KEY_FILE", about: "--owner-key-file" },
  {
    word: "VAULT_RUN_OWNER_PASSPHRASE_FILE",
    about: "a file with the passphrase of the owner's key, which is then not asked for",
  },
  { word: "VAULT_RUN_OWNER", about: "the owner's verify key, where no key file pins it" },
  {
    word: "VAULT_RUN_AUDIT_DIR",
    about: "the folder of the audit log (default: that of the vault's state)",
  },
  { word: "VAULT_RUN_AUDIT_TO", about: "--audit-to, for every verb" },
  { word: "XDG_CONFIG_HOME", about: "the folder of key files without another place (default: ~/.config)" },
  { word: "XDG_STATE_HOME", about: "the folder of pins and of the audit log (default: ~/.local/state)" },
  { word: "NO_COLOR", about: "no colour" },
];

/** Of VAULT_RUN_ variables the one that is set and not read. */
export const GIVEN_VARIABLE: Term = {
  word: "VAULT_RUN_CALL",
  about: "given to the programs that vault-run mcp starts: a random word for each call",
};

export const VERB_ENTRIES: readonly VerbEntry[] = VERBS.map(verbEntry);

export function verbEntry(verb: Verb): VerbEntry {
  return {
    name: verb.name,
    usage: ["vault-run", verb.name, verb.takes, "[options]"].filter((word) => word !== "").join(" "),
    about: verb.about,
    options: verb.options.map(({ flag, about }) => {
      const [word = "", takes] = flag.split(" ");
      return { word, takes, about };
    }),
    statuses: Object.entries({ ...VERB_STATUSES, ...verb.statuses }).map(([word, about]) => ({
      word,
      about,
    })),
    examples: verb.examples,
  };
}

/** `0 (done), 1 (refused), …` */
export function inOneLine(statuses: readonly Term[]): string {
  return statuses.map(({ word, about }) => `${word} (${about})`).join(", ");
}

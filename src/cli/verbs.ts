import type { AuditAction } from "../audit/event.ts";
import type { CommandContext } from "./context.ts";

// Every verb: what it takes, what it says about itself, and the module that does it, which is loaded only when the verb
// is used. Help, parsing and the check for unknown options all come from this table.

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
  readonly load: () => Promise<{ run: Command }>;
}

export type Command = (context: CommandContext) => Promise<number>;

const VAULT: Option = {
  flag: "--vault DIR",
  about: "the folder that holds .vault (default: the nearest one upwards)",
};
const OWNER_KEY: Option = {
  flag: "--owner-key-file FILE",
  about: "the owner's key (default: the one in your configuration folder)",
};
const AUDIT_TO: Option = {
  flag: "--audit-to WHERE",
  about: "record in syslog, journald or an open descriptor, fd:N, instead of a file (VAULT_RUN_AUDIT_TO)",
};
const JSON_OUT: Option = { flag: "--json", about: "print JSON, in the shape docs/CLI.md documents" };
const CHANGES: readonly Option[] = [
  VAULT,
  OWNER_KEY,
  { flag: "--no-commit", about: "write the files and leave the commit to you" },
  AUDIT_TO,
  { flag: "--yes", about: "answer every confirmation with yes" },
];
const SHARES: readonly Option[] = [
  { flag: "--remote NAME", about: "another remote than that of the branch, or the only one" },
  { flag: "--quiet", about: "say only what is wrong" },
  VAULT,
  OWNER_KEY,
  { flag: "--agent NAME", about: "verify with this agent's key, on an agent's machine" },
  { flag: "--key-file FILE", about: "the agent's key file" },
];
const READS: readonly Option[] = [VAULT, OWNER_KEY, JSON_OUT];

/** What a line of the audit log may say that happened, and one word for all that gave values. */
export const AUDIT_ACTIONS = [
  "pull",
  "launch",
  "get",
  "sdk",
  "mcp",
  "redact",
  "denied",
  "leak",
  "init",
  "add-agent",
  "remove-agent",
  "rekey",
  "restore",
  "add-owner",
  "remove-owner",
  "rekey-owner",
  "set",
  "rollback",
  "unset",
  "grant",
  "revoke",
  "resolve",
] as const satisfies readonly (AuditAction | "pull" | "sdk" | "mcp")[];

export const VERBS: readonly Verb[] = [
  {
    name: "init",
    takes: "",
    about: "make a vault in this repo, and the owner's key outside it",
    options: [
      { flag: "--classic", about: "use X25519 throughout instead of the post-quantum suite" },
      { flag: "--name NAME", about: "what this owner is called (default: owner)" },
      {
        flag: "--audit POLICY",
        about: "required (default): no audit record, no value; or best-effort",
        choices: ["required", "best-effort"],
      },
      { flag: "--passphrase", about: "put a passphrase on the owner's key" },
      ...CHANGES,
    ],
    examples: [
      "vault-run init",
      "vault-run init --passphrase",
      "vault-run init --owner-key-file /media/usb/owner.key",
    ],
    load: () => import("./commands/init.ts"),
  },
  {
    name: "status",
    takes: "",
    about: "who has what, what expires, what must be rotated",
    options: READS,
    examples: ["vault-run status"],
    load: () => import("./commands/status.ts"),
  },
  {
    name: "check",
    takes: "",
    about: "look for everything that is wrong with the vault; exit 1 on findings",
    options: [
      { flag: "--base REV", about: "also compare with this commit: what a pull request changes" },
      { flag: "--agent NAME", about: "verify with this agent's key instead of the owner's" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      ...READS,
    ],
    examples: ["vault-run check", "VAULT_RUN_OWNER=KEY vault-run check --base origin/main --json"],
    load: () => import("./commands/check.ts"),
  },
  {
    name: "add-agent",
    takes: "<agent>",
    about: "make an agent and its key file",
    options: [
      {
        flag: "--out FILE",
        about: "where the key file goes, - for standard output (default: your configuration folder)",
      },
      { flag: "--description TEXT", about: "what this agent is" },
      ...CHANGES,
    ],
    examples: [
      "vault-run add-agent crawler --out crawler.key",
      "vault-run add-agent crawler --out - | ssh host 'umask 077; cat > crawler.key'",
    ],
    load: () => import("./commands/add-agent.ts"),
  },
  {
    name: "remove-agent",
    takes: "<agent>",
    about: "remove an agent and give new keys to every group it had",
    options: [...CHANGES, JSON_OUT],
    examples: ["vault-run remove-agent crawler"],
    load: () => import("./commands/remove-agent.ts"),
  },
  {
    name: "rekey",
    takes: "[agent]",
    about: "a new key in place of one that others may have, and new keys for every group that it opened",
    options: [
      { flag: "--owner", about: "your own key instead of an agent's" },
      { flag: "--passphrase", about: "put one on your new key (asked for anyway where the old one has one)" },
      {
        flag: "--out FILE",
        about: "where the new key file goes, - for standard output (default: beside your other keys)",
      },
      ...CHANGES,
      JSON_OUT,
    ],
    examples: ["vault-run rekey crawler --out crawler.key", "vault-run rekey --owner"],
    load: () => import("./commands/rekey.ts"),
  },
  {
    name: "restore",
    takes: "<agent>",
    about: "the agent's own key file back, from escrow; recorded",
    options: [
      {
        flag: "--out FILE",
        about: "where the key file goes, - for standard output (default: your configuration folder)",
      },
      VAULT,
      OWNER_KEY,
      AUDIT_TO,
      { flag: "--yes", about: "answer every confirmation with yes" },
    ],
    examples: ["vault-run restore crawler --out crawler.key"],
    load: () => import("./commands/restore.ts"),
  },
  {
    name: "agents",
    takes: "",
    about: "list the agents and their groups",
    options: READS,
    examples: ["vault-run agents --json"],
    load: () => import("./commands/agents.ts"),
  },
  {
    name: "owners",
    takes: "",
    about: "list the owners and their keys",
    options: READS,
    examples: ["vault-run owners"],
    load: () => import("./commands/owners.ts"),
  },
  {
    name: "add-owner",
    takes: "<name>",
    about: "let someone else open and change everything, with a key of their own",
    options: [
      { flag: "--out FILE", about: "make their key here, in this file; - for standard output" },
      { flag: "--card FILE", about: "add who made this card, - for standard input" },
      {
        flag: "--make-card",
        about: "make an owner key for yourself (in --out, or your configuration folder) and print its card",
      },
      { flag: "--passphrase", about: "put a passphrase on the key that is made" },
      ...CHANGES,
    ],
    examples: [
      "vault-run add-owner bea --out bea.key",
      "vault-run add-owner bea --make-card > bea.card     # on bea's machine; changes nothing",
      "vault-run add-owner bea --card bea.card            # by an owner",
    ],
    load: () => import("./commands/add-owner.ts"),
  },
  {
    name: "remove-owner",
    takes: "<name>",
    about: "remove an owner for good: new keys for every group, everything sealed again to those who remain",
    options: [...CHANGES, JSON_OUT],
    examples: ["vault-run remove-owner bea"],
    load: () => import("./commands/remove-owner.ts"),
  },
  {
    name: "set",
    takes: "<group/name>",
    about: "set a secret; the value comes from a hidden prompt, standard input or a file",
    options: [
      { flag: "--from-file FILE", about: "read the value from a file" },
      { flag: "--exact", about: "keep a final line break (dropped from values for variables otherwise)" },
      { flag: "--env VAR", about: "inject it under this variable instead of its name" },
      { flag: "--as-file", about: "deliver it as an in-memory file, its path in the variable" },
      { flag: "--as-env", about: "deliver it in the variable again" },
      { flag: "--expires WHEN", about: "90d, 12h, 2027-01-31 or an RFC 3339 time" },
      { flag: "--description TEXT", about: "what this secret is" },
      {
        flag: "--unsafe-name",
        about: "allow a variable that makes programs load code (PATH, LD_PRELOAD, …)",
      },
      ...CHANGES,
    ],
    examples: [
      "vault-run set stripe/API_KEY",
      "pass show stripe | vault-run set stripe/API_KEY --expires 90d",
      "vault-run set deploy/SSH_KEY --from-file id_ed25519 --as-file",
    ],
    load: () => import("./commands/set.ts"),
  },
  {
    name: "get",
    takes: "<group/name>",
    about: "print one value, as the owner or as an agent; the read is recorded",
    options: [
      VAULT,
      OWNER_KEY,
      { flag: "--agent NAME", about: "read with this agent's key" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      AUDIT_TO,
      { flag: "--allow-expired", about: "also where its time has passed" },
    ],
    examples: ["vault-run get stripe/API_KEY", "vault-run get stripe/API_KEY --agent crawler"],
    load: () => import("./commands/get.ts"),
  },
  {
    name: "unset",
    takes: "<group/name>",
    about: "remove a secret",
    options: CHANGES,
    examples: ["vault-run unset stripe/OLD_KEY"],
    load: () => import("./commands/unset.ts"),
  },
  {
    name: "history",
    takes: "<group/name>",
    about: "list every version of a secret in git's history, never values",
    options: READS,
    examples: ["vault-run history stripe/API_KEY"],
    load: () => import("./commands/history.ts"),
  },
  {
    name: "rollback",
    takes: "<group/name>",
    about: "set an old value again, for who may read it today",
    options: [
      { flag: "--to N", about: "the version's number, as history lists it" },
      {
        flag: "--former-key-file FILE",
        about: "an owner's key of that time, where yours was replaced since",
      },
      ...CHANGES,
    ],
    examples: ["vault-run rollback stripe/API_KEY --to 2"],
    load: () => import("./commands/rollback.ts"),
  },
  {
    name: "list",
    takes: "[group]",
    about: "list groups and secrets, never values",
    options: [...READS, { flag: "--stale AGE", about: "only values that are older than that: 90d, 12h, 8w" }],
    examples: ["vault-run list", "vault-run list stripe --json", "vault-run list --stale 90d"],
    load: () => import("./commands/list.ts"),
  },
  {
    name: "import",
    takes: "<file>",
    about:
      "take over the secrets of a .env file, a flat JSON object or a vault of agent-vault, in one change",
    options: [
      { flag: "--group G", about: "the group they go into; of an agent-vault, the only group to take" },
      {
        flag: "--format FORMAT",
        about: "dotenv, json or agent-vault (default: what it looks like)",
        choices: ["dotenv", "json", "agent-vault"],
      },
      { flag: "--key FILE", about: "the owner's key of the agent-vault" },
      { flag: "--replace", about: "give secrets that exist a new value" },
      {
        flag: "--unsafe-name",
        about: "allow variables that make programs load code (PATH, LD_PRELOAD, …)",
      },
      ...CHANGES,
    ],
    examples: [
      "vault-run import .env --group app",
      "sops decrypt --output-type json secrets.yaml | vault-run import - --group app",
      "vault-run import .agent-vault --key ~/.agent-vault/owner.key",
    ],
    load: () => import("./commands/import.ts"),
  },
  {
    name: "export",
    takes: "<group>",
    about: "print a group's values for other programs, as the owner or as an agent; the read is recorded",
    options: [
      {
        flag: "--format FORMAT",
        about: "dotenv, json, shell, github or github-mask",
        choices: ["dotenv", "json", "shell", "github", "github-mask"],
      },
      VAULT,
      OWNER_KEY,
      { flag: "--agent NAME", about: "read with this agent's key" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      AUDIT_TO,
      { flag: "--allow-expired", about: "also values whose time has passed" },
    ],
    examples: [
      "vault-run export app --format json",
      'eval "$(vault-run export app --format shell --agent crawler)"',
      'vault-run export app --format github >> "$GITHUB_ENV"',
    ],
    load: () => import("./commands/export.ts"),
  },
  {
    name: "grant",
    takes: "<agent> <group>",
    about: "let an agent open a group",
    options: [{ flag: "--expires WHEN", about: "90d, 12h, 2027-01-31 or an RFC 3339 time" }, ...CHANGES],
    examples: ["vault-run grant crawler stripe", "vault-run grant crawler stripe --expires 30d"],
    load: () => import("./commands/grant.ts"),
  },
  {
    name: "policy",
    takes: "<group>",
    about: "show or change what a model may do with a group's secrets through vault-run mcp",
    options: [
      { flag: "--reveal", about: "let get_secret show the values" },
      { flag: "--no-reveal", about: "keep them hidden again (the default)" },
      {
        flag: "--allow-command CMD",
        about: "run_with_secrets starts only commands that begin with these words ('gh api'); repeatable",
        multiple: true,
      },
      { flag: "--forbid-command CMD", about: "take such a beginning out again; repeatable", multiple: true },
      { flag: "--any-command", about: "bind the group to no commands any more" },
      {
        flag: "--allow-origin ORIGIN",
        about: "http_request may send these secrets there, https://api.example.org; repeatable",
        multiple: true,
      },
      { flag: "--forbid-origin ORIGIN", about: "take an origin out again; repeatable", multiple: true },
      ...CHANGES,
      JSON_OUT,
    ],
    examples: [
      "vault-run policy stripe --allow-origin https://api.stripe.com",
      "vault-run policy github --allow-command gh --no-reveal",
      "vault-run policy stripe",
    ],
    load: () => import("./commands/policy.ts"),
  },
  {
    name: "revoke",
    takes: "<agent> <group>",
    about: "take a group from an agent: new group key, every secret sealed again, rotation list printed",
    options: [...CHANGES, JSON_OUT],
    examples: ["vault-run revoke crawler stripe"],
    load: () => import("./commands/revoke.ts"),
  },
  {
    name: "rotation",
    takes: "",
    about: "which current values someone no longer authorised could have read; exit 1 where there are any",
    options: READS,
    examples: ["vault-run rotation"],
    load: () => import("./commands/rotation.ts"),
  },
  {
    name: "resolve",
    takes: "",
    about: "finish a merge of the vault: decide conflicts, give fresh keys, seal again what was left behind",
    options: [VAULT, OWNER_KEY, AUDIT_TO, { flag: "--yes", about: "ask nothing: the newer value stays" }],
    examples: ["git merge feature || vault-run resolve && git commit", "vault-run resolve"],
    load: () => import("./commands/resolve.ts"),
  },
  {
    name: "sync",
    takes: "",
    about: "fetch, verify what came, fast-forward or rebase, push",
    options: [
      VAULT,
      OWNER_KEY,
      { flag: "--agent NAME", about: "verify with this agent's key, on an agent's machine" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      AUDIT_TO,
    ],
    examples: ["vault-run sync", "vault-run sync --agent crawler"],
    load: () => import("./commands/sync.ts"),
  },
  {
    name: "passphrase",
    takes: "",
    about: "put a passphrase on the owner's key, or change it",
    options: [
      { flag: "--remove", about: "take it off" },
      VAULT,
      OWNER_KEY,
      { flag: "--yes", about: "answer every confirmation with yes" },
    ],
    examples: ["vault-run passphrase", "vault-run passphrase --remove"],
    load: () => import("./commands/passphrase.ts"),
  },
  {
    name: "keychain",
    takes: "",
    about: "move the owner's key into the keychain of this system",
    options: [
      { flag: "--remove", about: "move it back into its file" },
      VAULT,
      OWNER_KEY,
      { flag: "--yes", about: "answer every confirmation with yes" },
    ],
    examples: ["vault-run keychain", "vault-run keychain --remove"],
    load: () => import("./commands/keychain.ts"),
  },
  {
    name: "redact",
    takes: "",
    about: "pass standard input on to standard output, with what an agent was granted masked",
    options: [
      VAULT,
      { flag: "--agent NAME", about: "mask what this agent was granted (VAULT_RUN_AGENT)" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      { flag: "--group G", about: "only this group; repeatable", multiple: true },
      { flag: "--only GROUP/NAME", about: "only this secret; repeatable", multiple: true },
      AUDIT_TO,
      { flag: "--quiet", about: "do not say at the end what was masked" },
    ],
    examples: [
      "journalctl -f | vault-run redact --agent crawler",
      "vault-run redact --agent crawler --only stripe/API_KEY < app.log",
    ],
    load: () => import("./commands/redact.ts"),
  },
  {
    name: "mcp",
    takes: "",
    about:
      "serve an agent's secrets to an MCP client on standard input and output: used by the model, not seen",
    options: [
      { flag: "--agent NAME", about: "whose secrets (VAULT_RUN_AGENT)" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      VAULT,
      { flag: "--rate N", about: "how often one secret may be used within a minute (default: 60)" },
      {
        flag: "--allow-loopback",
        about: "let http_request go to localhost, by http too, for development",
      },
      AUDIT_TO,
      {
        flag: "--print-config CLIENT",
        about: "print what a client needs to start it, and serve nothing",
        choices: ["claude-code", "claude-desktop", "codex", "cursor", "vscode"],
      },
    ],
    examples: ["vault-run mcp --agent crawler", "vault-run mcp --agent crawler --print-config claude-code"],
    load: () => import("./commands/mcp.ts"),
  },
  {
    name: "audit",
    takes: "",
    about: "who pulled what, on every machine whose log can be found, and whether the lines hold",
    options: [
      { flag: "--agent NAME", about: "only lines by this agent, or about it" },
      { flag: "--secret GROUP/NAME", about: "only lines about this secret" },
      { flag: "--group NAME", about: "only lines about this group" },
      { flag: "--since WHEN", about: "from then on: 90d (back from now), 2027-01-31 or an RFC 3339 time" },
      { flag: "--until WHEN", about: "before then" },
      {
        flag: "--action WORD",
        about: "only lines of this action; pull: all by which values were given (repeatable)",
        choices: AUDIT_ACTIONS,
        multiple: true,
      },
      { flag: "--host HOST", about: "only lines of this machine" },
      { flag: "--key FINGERPRINT", about: "only lines signed with this key" },
      { flag: "--totals", about: "how often who pulled which secret, and what was refused" },
      { flag: "--could-read", about: "what each agent could have read, beside what it did read" },
      { flag: "--unpulled AGE", about: "the secrets that nobody pulled for that long: 90d, 12h, 8w" },
      { flag: "--leaks", about: "what was masked in whose output" },
      ...READS,
    ],
    examples: [
      "vault-run audit --since 7d",
      "vault-run audit --secret stripe/API_KEY --totals     # who pulled it",
      "vault-run audit --agent crawler --could-read",
      "vault-run audit --unpulled 90d",
    ],
    load: () => import("./commands/audit.ts"),
  },
  {
    name: "audit push",
    takes: "",
    about: "publish this machine's log through git, for the owner and as a witness; needs no key",
    options: SHARES,
    examples: ["vault-run audit push", "vault-run audit push --remote backup"],
    load: () => import("./commands/audit-push.ts"),
  },
  {
    name: "audit fetch",
    takes: "",
    about: "bring the logs that others pushed; exit 1 where one did anything but grow",
    options: SHARES,
    examples: ["vault-run audit fetch && vault-run audit"],
    load: () => import("./commands/audit-fetch.ts"),
  },
  {
    name: "report",
    takes: "",
    about: "one page for a browser: who may read what, who pulled what, what is due, what is wrong",
    options: [
      {
        flag: "--html FILE",
        about: "where the page goes, - for standard output; an older report is replaced",
      },
      { flag: "--open", about: "show it in the browser (without --html it is kept in your state folder)" },
      VAULT,
      OWNER_KEY,
    ],
    examples: ["vault-run report --open", "vault-run report --html report.html"],
    load: () => import("./commands/report.ts"),
  },
  {
    name: "scan",
    takes: "[path...]",
    about: "look for keys, the vault's own values and other secrets before they leave; exit 1 on findings",
    options: [
      { flag: "--staged", about: "what the next commit would hold, as it is staged" },
      { flag: "--range A..B", about: "what the commits behind A up to B brought, and their messages" },
      { flag: "--history", about: "every commit there is, of all branches and tags" },
      { flag: "--pushed", about: "what git tells a pre-push or pre-receive hook on standard input" },
      { flag: "--sarif", about: "print SARIF 2.1.0, for code hosts" },
      { flag: "--agent NAME", about: "look for what this agent was granted instead of all values" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      ...READS,
    ],
    examples: [
      "vault-run scan --staged",
      "vault-run scan --range origin/main..HEAD --sarif > scan.sarif",
      "vault-run scan --history --json",
      "git diff | vault-run scan -",
    ],
    load: () => import("./commands/scan.ts"),
  },
  {
    name: "allow",
    takes: "[fingerprint]",
    about: "let scan pass over a finding that is no secret, with a reason; list what is allowed",
    options: [
      { flag: "--reason TEXT", about: "why it is no secret" },
      { flag: "--remove", about: "no longer pass over it" },
      ...CHANGES,
      JSON_OUT,
    ],
    examples: [
      "vault-run allow",
      "vault-run allow FINGERPRINT --reason documentation",
      "vault-run allow FINGERPRINT --remove",
    ],
    load: () => import("./commands/allow.ts"),
  },
  {
    name: "hook",
    takes: "<action>",
    about: "have git run scan before a commit or a push: install, uninstall or status",
    options: [
      {
        flag: "--on EVENT",
        about: "pre-commit (default), pre-push, or pre-receive on a server; repeatable",
        choices: ["pre-commit", "pre-push", "pre-receive"],
        multiple: true,
      },
      { flag: "--yes", about: "answer every confirmation with yes" },
      JSON_OUT,
    ],
    examples: [
      "vault-run hook install",
      "vault-run hook install --on pre-commit --on pre-push",
      "vault-run hook status",
    ],
    load: () => import("./commands/hook.ts"),
  },
  {
    name: "completion",
    takes: "<shell>",
    about: "print what makes bash, zsh or fish complete verbs, options, agents, groups and secrets",
    options: [
      {
        flag: "--words",
        about: "for that script: what may follow the words on standard input, each ended by a NUL",
      },
    ],
    examples: [
      'eval "$(vault-run completion bash)"     # in ~/.bashrc; zsh alike, in ~/.zshrc',
      "vault-run completion fish > ~/.config/fish/completions/vault-run.fish",
    ],
    load: () => import("./commands/completion.ts"),
  },
];

/** The name of an option's variable in parsed values: `--out FILE` → `out`. */
export function optionName(option: Option): string {
  return (option.flag.split(" ")[0] ?? "").slice(2);
}

export function takesValue(option: Option): boolean {
  return option.flag.includes(" ");
}

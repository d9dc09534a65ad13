import { AUDIT_TO, asAgent, CHANGES, KEY_FILE, OWNER_KEY, READS, VAULT } from "./options.ts";
import type { Verb } from "./verb.ts";

// The values.

export const SECRETS_VERBS: readonly Verb[] = [
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
    load: () => import("../commands/set.ts"),
  },
  {
    name: "get",
    takes: "<group/name>",
    about: "print one value, as the owner or as an agent; the read is recorded",
    options: [
      VAULT,
      OWNER_KEY,
      asAgent("read with this agent's key"),
      KEY_FILE,
      AUDIT_TO,
      { flag: "--allow-expired", about: "also where its time has passed" },
    ],
    examples: ["vault-run get stripe/API_KEY", "vault-run get stripe/API_KEY --agent crawler"],
    load: () => import("../commands/get.ts"),
  },
  {
    name: "unset",
    takes: "<group/name>",
    about: "remove a secret",
    options: CHANGES,
    examples: ["vault-run unset stripe/OLD_KEY"],
    load: () => import("../commands/unset.ts"),
  },
  {
    name: "history",
    takes: "<group/name>",
    about: "list every version of a secret in git's history, never values",
    options: READS,
    examples: ["vault-run history stripe/API_KEY"],
    load: () => import("../commands/history.ts"),
  },
  {
    name: "rollback",
    takes: "<group/name>",
    about: "set an old value again, for who may read it today",
    options: [
      { flag: "--to N", about: "the version's number, as history lists it; needed" },
      {
        flag: "--former-key-file FILE",
        about: "an owner's key of that time, where yours was replaced since",
      },
      ...CHANGES,
    ],
    examples: ["vault-run rollback stripe/API_KEY --to 2"],
    load: () => import("../commands/rollback.ts"),
  },
  {
    name: "list",
    takes: "[group]",
    about: "list groups and secrets, never values",
    options: [...READS, { flag: "--stale AGE", about: "only values that are older than that: 90d, 12h, 8w" }],
    examples: ["vault-run list", "vault-run list stripe --json", "vault-run list --stale 90d"],
    load: () => import("../commands/list.ts"),
  },
  {
    name: "import",
    takes: "<file>",
    about:
      "take over the secrets of a .env file, a flat JSON object or a vault of agent-vault, in one change",
    options: [
      {
        flag: "--group G",
        about: "the group they go into, needed; of an agent-vault, the only group to take",
      },
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
    statuses: { 1: "refused, or something was not taken" },
    load: () => import("../commands/import.ts"),
  },
  {
    name: "export",
    takes: "<group>",
    about: "print a group's values for other programs, as the owner or as an agent; the read is recorded",
    options: [
      {
        flag: "--format FORMAT",
        about: "dotenv, json, shell, github or github-mask; needed",
        choices: ["dotenv", "json", "shell", "github", "github-mask"],
      },
      VAULT,
      OWNER_KEY,
      asAgent("read with this agent's key"),
      KEY_FILE,
      AUDIT_TO,
      { flag: "--allow-expired", about: "also values whose time has passed" },
    ],
    examples: [
      "vault-run export app --format json",
      'eval "$(vault-run export app --format shell --agent crawler)"',
      'vault-run export app --format github >> "$GITHUB_ENV"',
    ],
    load: () => import("../commands/export.ts"),
  },
];

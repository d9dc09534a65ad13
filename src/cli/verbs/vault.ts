import { AUDIT_TO, asAgent, KEY_FILE, NO_COMMIT, READS, YES } from "./options.ts";
import type { Verb } from "./verb.ts";

// What a vault is made of, and how it stands.

export const VAULT_VERBS: readonly Verb[] = [
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
      {
        flag: "--vault DIR",
        about: "the folder in which .vault is made (VAULT_RUN_VAULT; default: the current one)",
      },
      {
        flag: "--owner-key-file FILE",
        about: "where your key file goes (VAULT_RUN_OWNER_KEY_FILE; default: your configuration folder)",
      },
      NO_COMMIT,
      AUDIT_TO,
      YES,
    ],
    examples: [
      "vault-run init",
      "vault-run init --passphrase",
      "vault-run init --owner-key-file ~/keys/owner.key",
    ],
    load: () => import("../commands/init.ts"),
  },
  {
    name: "status",
    takes: "",
    about: "who has what, what expires, what must be rotated",
    options: READS,
    examples: ["vault-run status"],
    load: () => import("../commands/status.ts"),
  },
  {
    name: "check",
    takes: "",
    about: "look for everything that is wrong with the vault",
    options: [
      { flag: "--base REV", about: "also compare with this commit: what a pull request changes" },
      asAgent("verify with this agent's key instead of the owner's"),
      KEY_FILE,
      ...READS,
    ],
    examples: ["vault-run check", "VAULT_RUN_OWNER=KEY vault-run check --base origin/main --json"],
    statuses: { 1: "refused, or anything is more than a note" },
    load: () => import("../commands/check.ts"),
  },
];

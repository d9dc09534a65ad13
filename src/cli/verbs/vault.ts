import { CHANGES, READS } from "./options.ts";
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
      ...CHANGES,
    ],
    examples: [
      "vault-run init",
      "vault-run init --passphrase",
      "vault-run init --owner-key-file /media/usb/owner.key",
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
    about: "look for everything that is wrong with the vault; exit 1 on findings",
    options: [
      { flag: "--base REV", about: "also compare with this commit: what a pull request changes" },
      { flag: "--agent NAME", about: "verify with this agent's key instead of the owner's" },
      { flag: "--key-file FILE", about: "the agent's key file" },
      ...READS,
    ],
    examples: ["vault-run check", "VAULT_RUN_OWNER=KEY vault-run check --base origin/main --json"],
    load: () => import("../commands/check.ts"),
  },
];

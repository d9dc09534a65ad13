import { AUDIT_TO, KEY_FILE, OWNER_KEY, VAULT, VERIFY_AS } from "./options.ts";
import type { Verb } from "./verb.ts";

// Branches and clones.

export const CLONES_VERBS: readonly Verb[] = [
  {
    name: "resolve",
    takes: "",
    about: "finish a merge of the vault: decide conflicts, give fresh keys, seal again what was left behind",
    options: [VAULT, OWNER_KEY, AUDIT_TO, { flag: "--yes", about: "ask nothing: the newer value stays" }],
    examples: ["git merge feature || vault-run resolve && git commit", "vault-run resolve"],
    load: () => import("../commands/resolve.ts"),
  },
  {
    name: "sync",
    takes: "",
    about: "fetch, verify what came, fast-forward or rebase, push",
    options: [VAULT, OWNER_KEY, VERIFY_AS, KEY_FILE, AUDIT_TO],
    examples: ["vault-run sync", "vault-run sync --agent crawler"],
    load: () => import("../commands/sync.ts"),
  },
];

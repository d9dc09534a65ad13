import { ACCESS_VERBS } from "./verbs/access.ts";
import { AGENT_SIDE_VERBS } from "./verbs/agent-side.ts";
import { AGENTS_VERBS } from "./verbs/agents.ts";
import { AUDIT_VERBS } from "./verbs/audit.ts";
import { CLONES_VERBS } from "./verbs/clones.ts";
import { GUARD_VERBS } from "./verbs/guard.ts";
import { OWNER_KEY_VERBS } from "./verbs/owner-key.ts";
import { OWNERS_VERBS } from "./verbs/owners.ts";
import { SECRETS_VERBS } from "./verbs/secrets.ts";
import { SHELL_VERBS } from "./verbs/shell.ts";
import { VAULT_VERBS } from "./verbs/vault.ts";
import type { Verb } from "./verbs/verb.ts";

// Every verb: what it takes, what it says about itself, and the module that does it, which is loaded only when the verb
// is used. Help, parsing, completion and the check for unknown options all come from these tables.

export const VERBS: readonly Verb[] = [
  ...VAULT_VERBS,
  ...AGENTS_VERBS,
  ...OWNERS_VERBS,
  ...SECRETS_VERBS,
  ...ACCESS_VERBS,
  ...CLONES_VERBS,
  ...OWNER_KEY_VERBS,
  ...AGENT_SIDE_VERBS,
  ...AUDIT_VERBS,
  ...GUARD_VERBS,
  ...SHELL_VERBS,
];

// What a line of the log may say that happened. docs/FORMAT.md, section 8, says what each means.

/** Values were opened, by whoever signed the line. */
export const PULL_ACTIONS = ["launch", "get", "sdk", "mcp", "redact"] as const;

export const OWNER_ACTIONS = [
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
  "policy",
  "allow",
  "resolve",
] as const;

export const AUDIT_ACTIONS = [...PULL_ACTIONS, "denied", "leak", ...OWNER_ACTIONS] as const;

export type OwnerAction = (typeof OWNER_ACTIONS)[number];
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

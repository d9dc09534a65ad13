import type { Option } from "./verb.ts";

// What several verbs take.

export const VAULT: Option = {
  flag: "--vault DIR",
  about: "the folder that holds .vault (default: the nearest one upwards)",
};
export const OWNER_KEY: Option = {
  flag: "--owner-key-file FILE",
  about: "the owner's key (default: the one in your configuration folder)",
};
export const AUDIT_TO: Option = {
  flag: "--audit-to WHERE",
  about: "record in syslog, journald or an open descriptor, fd:N, instead of a file (VAULT_RUN_AUDIT_TO)",
};
export const JSON_OUT: Option = { flag: "--json", about: "print JSON, in the shape docs/CLI.md documents" };
export const CHANGES: readonly Option[] = [
  VAULT,
  OWNER_KEY,
  { flag: "--no-commit", about: "write the files and leave the commit to you" },
  AUDIT_TO,
  { flag: "--yes", about: "answer every confirmation with yes" },
];
export const SHARES: readonly Option[] = [
  { flag: "--remote NAME", about: "another remote than that of the branch, or the only one" },
  { flag: "--quiet", about: "say only what is wrong" },
  VAULT,
  OWNER_KEY,
  { flag: "--agent NAME", about: "verify with this agent's key, on an agent's machine" },
  { flag: "--key-file FILE", about: "the agent's key file" },
];
export const READS: readonly Option[] = [VAULT, OWNER_KEY, JSON_OUT];

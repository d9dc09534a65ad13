import type { Option } from "./verb.ts";

// What several verbs take.

export const VAULT: Option = {
  flag: "--vault DIR",
  about: "the folder that holds .vault (VAULT_RUN_VAULT; default: the nearest one upwards)",
};
export const OWNER_KEY: Option = {
  flag: "--owner-key-file FILE",
  about: "the owner's key (VAULT_RUN_OWNER_KEY_FILE; default: the one in your configuration folder)",
};
export const KEY_FILE: Option = {
  flag: "--key-file FILE",
  about: "the agent's key file (VAULT_RUN_KEY_FILE; default: the agent's in your configuration folder)",
};
/** Goes with KEY_FILE. @param about what is done as the agent. */
export function asAgent(about: string): Option {
  return { flag: "--agent NAME", about: `${about} (VAULT_RUN_AGENT; default: whom the key file names)` };
}
export const AUDIT_TO: Option = {
  flag: "--audit-to WHERE",
  about: "record in syslog, journald or an open descriptor, fd:N, instead of a file (VAULT_RUN_AUDIT_TO)",
};
export const JSON_OUT: Option = { flag: "--json", about: "print JSON, in the shape docs/CLI.md documents" };
export const YES: Option = { flag: "--yes", about: "answer every confirmation with yes" };
/** Where a key file that a verb makes goes. @param place what it is without the option. */
export function out(place: string): Option {
  return { flag: "--out FILE", about: `where the key file goes, - for standard output (default: ${place})` };
}
export const NO_COMMIT: Option = {
  flag: "--no-commit",
  about: "write the files and leave the commit to you",
};
export const CHANGES: readonly Option[] = [VAULT, OWNER_KEY, NO_COMMIT, AUDIT_TO, YES];
export const VERIFY_AS: Option = asAgent("verify with this agent's key, on an agent's machine");
export const SHARES: readonly Option[] = [
  { flag: "--remote NAME", about: "which remote (default: that of the branch, origin, or the only one)" },
  { flag: "--quiet", about: "say only what is wrong" },
  VAULT,
  OWNER_KEY,
  VERIFY_AS,
  KEY_FILE,
];
export const READS: readonly Option[] = [VAULT, OWNER_KEY, JSON_OUT];

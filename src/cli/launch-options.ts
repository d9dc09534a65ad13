// The options of a launch: parsing (words.ts reads `type` and `multiple`) and help come from this one table.

export const LAUNCH_OPTIONS = {
  agent: {
    type: "string",
    takes: "NAME",
    about: "who runs it (VAULT_RUN_AGENT; default: whom the key file names)",
  },
  vault: {
    type: "string",
    takes: "DIR",
    about: "the folder that holds .vault (VAULT_RUN_VAULT; default: the nearest one upwards)",
  },
  "key-file": {
    type: "string",
    takes: "FILE",
    about: "the agent's key file (VAULT_RUN_KEY_FILE; default: the agent's in your configuration folder)",
  },
  group: { type: "string", multiple: true, takes: "G", about: "only this group; repeatable" },
  only: { type: "string", multiple: true, takes: "GROUP/NAME", about: "only this secret; repeatable" },
  env: {
    type: "string",
    multiple: true,
    takes: "VAR=GROUP/NAME",
    about: "inject under another variable; repeatable",
  },
  file: {
    type: "string",
    multiple: true,
    takes: "VAR=GROUP/NAME",
    about: "deliver as an unnamed in-memory file, its path in VAR; repeatable",
  },
  pipe: {
    type: "string",
    multiple: true,
    takes: "VAR=GROUP/NAME",
    about: "deliver through a pipe that can be read once, its path in VAR; repeatable",
  },
  "clean-env": {
    type: "boolean",
    about: "start from PATH HOME USER LOGNAME SHELL LANG LC_* TERM TZ TMPDIR only",
  },
  pass: {
    type: "string",
    multiple: true,
    takes: "VAR",
    about: "with --clean-env, keep this variable too; repeatable",
  },
  "strict-env": {
    type: "boolean",
    about: "a variable of the parent that a secret would replace is an error",
  },
  "allow-expired": { type: "boolean", about: "also inject values whose time has passed" },
  tty: {
    type: "string",
    takes: "MODE",
    about: "auto (default): a terminal stays one, redacted; pty: always one; pipe: never",
  },
  "no-redact": {
    type: "boolean",
    about: "do not redact: become the program, so that nothing of vault-run stays, where that is possible",
  },
  "on-leak": {
    type: "string",
    takes: "POLICY",
    about: "what a redacted value means: report (default), or kill, which ends the program with 120",
  },
  "audit-to": {
    type: "string",
    takes: "WHERE",
    about: "record in syslog, journald or an open descriptor, fd:N, instead of a file (VAULT_RUN_AUDIT_TO)",
  },
  quiet: { type: "boolean", about: "do not say at the end what was masked" },
  "dry-run": { type: "boolean", about: "print what would be injected, names only, and start nothing" },
} as const;

import type { VaultErrorCode } from "../vault-error.ts";

export const DONE = 0;
/** Refused, or findings. */
export const REFUSED = 1;
export const USAGE = 2;
/** vault-run itself failed, and no child was started, or its output could not be redacted: every error of a launch but the child's own. */
export const LAUNCH_FAILED = 125;

/** The exit status of a verb that ends with an error of this code. */
export const VERB_STATUS: Readonly<Record<VaultErrorCode, typeof REFUSED | typeof USAGE>> = {
  usage: USAGE,
  "bad-name": USAGE,
  "bad-time": USAGE,
  "bad-value": REFUSED,
  "no-vault": REFUSED,
  "no-repository": REFUSED,
  "git-missing": REFUSED,
  "git-not-ready": REFUSED,
  "git-failed": REFUSED,
  "no-key": REFUSED,
  "key-file": REFUSED,
  passphrase: REFUSED,
  keychain: REFUSED,
  "wrong-key": REFUSED,
  "wrong-vault": REFUSED,
  untrusted: REFUSED,
  exists: REFUSED,
  "unknown-agent": REFUSED,
  "unknown-group": REFUSED,
  "unknown-secret": REFUSED,
  "unknown-owner": REFUSED,
  "last-owner": REFUSED,
  "not-granted": REFUSED,
  expired: REFUSED,
  collision: REFUSED,
  "unsafe-name": REFUSED,
  "record-invalid": REFUSED,
  "record-missing": REFUSED,
  "record-signature": REFUSED,
  "record-rollback": REFUSED,
  "record-conflict": REFUSED,
  "record-epoch": REFUSED,
  "format-newer": REFUSED,
  "sealed-damaged": REFUSED,
  "sealed-context": REFUSED,
  "not-for-identity": REFUSED,
  locked: REFUSED,
  interrupted: REFUSED,
  disk: REFUSED,
  audit: REFUSED,
  "audit-rewritten": REFUSED,
  "no-terminal": REFUSED,
  "no-pipe": REFUSED,
  "not-allowed": REFUSED,
  "rate-limited": REFUSED,
  "request-failed": REFUSED,
  canceled: REFUSED,
};

import type { SigningKey } from "../age/signing-key.ts";
import { canonicalText } from "../vault/canonical.ts";
import type { AuditAction } from "./actions.ts";

// One line of the audit log (docs/FORMAT.md, section 8): JSON in its RFC 8785 form, signed by the reader's derived key.

const SIGNED_PREFIX = "vault-run/audit/v1\0";

export interface AuditSecret {
  readonly group: string;
  readonly name: string;
  readonly valueId: string;
}

export interface AuditClient {
  readonly name: string;
  readonly version: string;
}

/** What a redaction hid: how often, in which stream (`stdout`, `stderr`, `terminal`, `stdin`), in which encoding. */
export interface AuditLeak {
  readonly secret: string;
  readonly stream: string;
  readonly encoding: string;
  readonly count: number;
}

/** What happened, as the caller knows it. The log adds when, where, who and the link to the line before. */
export interface AuditEvent {
  readonly action: AuditAction;
  /** The agent that acted, or that an owner's change is about. */
  readonly agent?: string;
  /** The owner that an owner's change is about. */
  readonly owner?: string;
  readonly group?: string;
  /** The code of the refusal. Only with `denied`. */
  readonly reason?: string;
  /** The launched program's argv[0]; never another argument. */
  readonly command?: string;
  /** The tool that a model called, and the program it called it through, by its own word. Only where `mcp` is served. */
  readonly tool?: string;
  readonly client?: AuditClient;
  /** What a model says it needs an access for. Only with the tool `request_access`. */
  readonly note?: string;
  readonly secrets?: readonly AuditSecret[];
  readonly leaks?: readonly AuditLeak[];
}

export interface AuditLine extends AuditEvent {
  readonly v: 1;
  /** 16 random bytes in hex: no two lines are alike, also when two processes say the same in the same millisecond. */
  readonly id: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly vault: string;
  /** Fingerprint of the signing key. */
  readonly key: string;
  readonly host: string;
  readonly uid: number;
  /** The commit the work tree stood at; absent where there was none to read. */
  readonly commit?: string;
  /** SHA-256 of the last whole line in the log when this one was written; absent in the first. */
  readonly prev?: string;
  /** Ed25519 over `vault-run/audit/v1\0` and the canonical form of the line without `sig`, in base64. */
  readonly sig: string;
}

export function signedAuditBytes(line: Omit<AuditLine, "sig">): Buffer {
  return Buffer.from(SIGNED_PREFIX + canonicalText(line));
}

export function formatAuditLine(line: Omit<AuditLine, "sig">, key: SigningKey): string {
  return canonicalText({ ...line, sig: key.sign(signedAuditBytes(line)) });
}

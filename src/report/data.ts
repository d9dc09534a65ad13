import type { AuditAnswers } from "../admin/audit/answers.ts";
import type { CouldRead } from "../admin/audit/could-read.ts";
import type { Unpulled } from "../admin/audit/unpulled.ts";
import type { AuditLeak } from "../audit/event.ts";
import type { FindingKind } from "../audit/finding.ts";

// What the page shows, as its data block holds it. Each part is what a verb prints with `--json` (docs/CLI.md), so that the
// page's figures are that verb's. Types alone: the page's code, which runs in a browser, shares them.

export interface ReportData {
  readonly made: {
    readonly at: string;
    readonly host: string;
    readonly version: string;
    /** The commit that HEAD names. */
    readonly commit: string | null;
  };
  readonly status: StatusData;
  readonly agents: readonly AgentData[];
  readonly secrets: readonly SecretData[];
  readonly rotation: RotationData;
  readonly check: CheckData;
  readonly audit: AuditData;
  /** What each kind of finding about lines means. */
  readonly findingWords: Readonly<Record<FindingKind, string>>;
}

/** `status --json`, without what `rotation` says in full. */
export interface StatusData {
  readonly vault: string;
  readonly suite: string;
  readonly audit: string;
  readonly owners: readonly { readonly name: string; readonly key: string; readonly verifyKey: string }[];
  readonly groups: readonly { readonly name: string; readonly epoch: number; readonly secrets: number }[];
  readonly agents: readonly { readonly name: string; readonly groups: readonly string[] }[];
  readonly expiring: readonly {
    readonly what: string;
    readonly expiresAt: string;
    readonly expired: boolean;
    readonly renew: string;
  }[];
}

/** `agents --json`. */
export interface AgentData {
  readonly name: string;
  readonly key: string;
  readonly recipient: string;
  readonly createdAt: string;
  readonly description: string | null;
  readonly grants: readonly {
    readonly group: string;
    readonly grantedAt: string;
    readonly expiresAt: string | null;
  }[];
}

/** `list --json`. */
export interface SecretData {
  readonly group: string;
  readonly name: string;
  readonly variable: string;
  readonly deliver: string;
  readonly valueId: string;
  readonly setAt: string;
  readonly expiresAt: string | null;
  readonly description: string | null;
  readonly exposed: boolean;
}

/** An agent or an owner, by the key that they had. */
export interface KeyHolderData {
  readonly agent?: string;
  readonly owner?: string;
  readonly key: string;
  readonly since: string;
}

/** `rotation --json`. */
export interface RotationData {
  readonly rotate: readonly {
    readonly group: string;
    readonly name: string;
    readonly valueId: string;
    readonly setAt: string;
    readonly readers: readonly (KeyHolderData & {
      readonly grantExpired: string | null;
      readonly read: { readonly at: string; readonly host: string; readonly action: string } | null;
    })[];
  }[];
  readonly rekey: readonly {
    readonly agent: string;
    readonly key: string;
    readonly owners: readonly KeyHolderData[];
  }[];
  readonly logs: readonly string[];
}

/** `check --json`. */
export interface CheckData {
  readonly opened: boolean;
  readonly findings: readonly {
    readonly level: "error" | "note";
    readonly kind: string;
    readonly where: string;
    readonly what: string;
    readonly next: string;
  }[];
}

/** `audit --json` with each of its questions. */
export interface AuditData extends Omit<AuditAnswers, "reads"> {
  /** The newest lines that say so, oldest first; a thousand at most. */
  readonly leakEvents: readonly LeakEvent[];
  readonly couldRead: readonly CouldRead[];
  /** Secrets that nobody pulled for so long. */
  readonly unpulled: { readonly days: number; readonly secrets: readonly Unpulled[] };
}

/** A line of the log that says what was masked in an output. */
export interface LeakEvent {
  readonly time: string;
  readonly host: string;
  readonly agent: string | null;
  readonly key: string;
  readonly command: string | null;
  readonly leaks: readonly AuditLeak[];
}

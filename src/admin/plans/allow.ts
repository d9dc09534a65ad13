import { ALLOW_PATH } from "../../vault/paths.ts";
import { type AllowRecord, isDescription } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan } from "../plan.ts";

const FINGERPRINT = /^[0-9a-f]{64}$/;

export function parseFingerprint(text: string): string {
  if (FINGERPRINT.test(text)) return text;
  throw new VaultError(
    "usage",
    "that is not a finding's fingerprint, which has 64 digits and letters a to f",
    "take it from what vault-run scan prints",
  );
}

/** Lets `scan` pass over a finding. Allowing it again gives it the new reason. */
export function planAllow(session: OwnerSession, fingerprint: string, reason: string): Plan {
  if (!isDescription(reason)) {
    throw new VaultError(
      "usage",
      "the reason is not one line of 1 to 1024 bytes",
      "say in a line why it is no secret: --reason TEXT",
    );
  }
  const others = entriesOf(session).filter((entry) => entry.fingerprint !== fingerprint);
  const entries = [...others, { fingerprint, reason, at: session.now }];
  return planOf(session, entries, `vault-run: allow finding ${fingerprint.slice(0, 12)}`);
}

export function planDisallow(session: OwnerSession, fingerprint: string): Plan {
  const entries = entriesOf(session);
  const left = entries.filter((entry) => entry.fingerprint !== fingerprint);
  if (left.length === entries.length) {
    throw new VaultError("usage", "no such finding is allowed", "see those that are: vault-run allow");
  }
  return planOf(session, left, `vault-run: no longer allow finding ${fingerprint.slice(0, 12)}`);
}

export function entriesOf({ vault }: Pick<OwnerSession, "vault">): AllowRecord["entries"] {
  const record = vault.find(ALLOW_PATH);
  return record?.type === "allow" ? record.entries : [];
}

function planOf(session: OwnerSession, unordered: AllowRecord["entries"], message: string): Plan {
  // In one order, whoever adds: so two branches that allow different findings merge alike.
  const entries = unordered.toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  const record = session.sign<AllowRecord>(ALLOW_PATH, { type: "allow", entries });
  return { event: { action: "allow" }, writes: [{ path: ALLOW_PATH, record }], message };
}

import type { ReportData } from "../data.ts";
import { readersOf, refOf } from "./names.ts";

interface Expiry {
  readonly what: string;
  readonly kind: "value" | "grant";
  readonly expiresAt: string;
  readonly state: "expired" | "soon" | "later";
  readonly renew: string | undefined;
}

/** Whom it is about too. */
export type Expiring = Expiry & { readonly who: readonly string[]; readonly groups: readonly string[] };

/** All that has an end, and what `status` says of those that are near it. */
export function expiriesOf(data: ReportData): Expiring[] {
  const near = new Map(data.status.expiring.map((entry) => [entry.what, entry]));
  const expiry = (what: string, kind: Expiry["kind"], expiresAt: string): Expiry => {
    const found = near.get(what);
    const state = found === undefined ? "later" : found.expired ? "expired" : "soon";
    return { what, kind, expiresAt, state, renew: found?.renew };
  };
  const values = data.secrets.flatMap((secret) =>
    secret.expiresAt === null
      ? []
      : [
          {
            ...expiry(refOf(secret), "value", secret.expiresAt),
            who: readersOf(data, secret.group),
            groups: [secret.group],
          },
        ],
  );
  const grants = data.agents.flatMap(({ name, grants: own }) =>
    own.flatMap(({ group, expiresAt }) =>
      expiresAt === null
        ? []
        : [{ ...expiry(`${group} for ${name}`, "grant", expiresAt), who: [name], groups: [group] }],
    ),
  );
  return [...values, ...grants].sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1));
}

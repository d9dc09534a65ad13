import { keyFingerprint } from "../vault/fingerprint.ts";
import type { AgentName, GroupName, SecretName } from "../vault/names.ts";
import type { AgentRecord, Exposure, GrantRecord, OwnerExposure, SecretRecord } from "../vault/schema.ts";
import { isPast, type Timestamp } from "../vault/time.ts";
import type { Vault } from "../vault/vault.ts";
import { later } from "./plans/group-key.ts";

export interface ExposedSecret {
  readonly group: GroupName;
  readonly name: SecretName;
  readonly valueId: string;
  readonly setAt: string;
  /** Who could have read the current value and no longer may, with which key, since when. */
  readonly readers: readonly ExposedReader[];
}

/** `grantExpired`: since when its grant is refused, where it was not revoked. Its key opens new values too. */
export type ExposedReader = Exposure & { readonly grantExpired: Timestamp | null };

/** A grant that nobody may use any more, but whose key opens the group until that gets a new one. */
export interface ExpiredGrant {
  readonly agent: AgentName;
  readonly group: GroupName;
  readonly expiredAt: Timestamp;
}

interface Grantee {
  readonly agent: AgentRecord;
  readonly grant: GrantRecord;
}

/** Who an exposure is about, as listings show it. */
export function readerName(exposure: Exposure): string {
  return "owner" in exposure ? `owner ${exposure.owner}` : exposure.agent;
}

/** An agent whose identity a former owner could have opened from escrow. Only a new key takes it off this list. */
export interface ExposedAgent {
  readonly agent: AgentName;
  readonly key: string;
  readonly owners: readonly OwnerExposure[];
}

export function findExposedAgents(vault: Vault): ExposedAgent[] {
  return vault.agents().flatMap(({ name, verifyKey, exposedTo }) => {
    return exposedTo === undefined
      ? []
      : [{ agent: name, key: keyFingerprint(verifyKey), owners: exposedTo }];
  });
}

/** The current values that someone no longer authorised could have read. Only a new value takes one off this list. */
export function findExposed(vault: Vault, nowMs: number): ExposedSecret[] {
  return vault.groups().flatMap(({ name: group }) => {
    const secrets = vault.secrets(group);
    const grantees = secrets.length === 0 ? [] : vault.grantees(group);
    const expired = grantees.filter(({ grant }) => expiryPast(grant, nowMs) !== undefined);
    // Who was granted the group again, with the same key, may read the value: it need not be rotated for their sake.
    const authorised = new Set(grantees.filter((grantee) => !expired.includes(grantee)).map(keyOf));
    return secrets.flatMap((secret) => exposedSecret(secret, authorised, expired));
  });
}

export function findExpiredGrants(vault: Vault, nowMs: number): ExpiredGrant[] {
  return vault.agents().flatMap(({ name }) =>
    vault.grants(name).flatMap((grant) => {
      const expiredAt = expiryPast(grant, nowMs);
      return expiredAt === undefined ? [] : [{ agent: name, group: grant.group, expiredAt }];
    }),
  );
}

function expiryPast({ expiresAt }: GrantRecord, nowMs: number): Timestamp | undefined {
  return expiresAt !== undefined && isPast(expiresAt, nowMs) ? expiresAt : undefined;
}

function keyOf({ agent }: Grantee): string {
  return keyFingerprint(agent.verifyKey);
}

function exposedSecret(
  { group, name, valueId, setAt, exposedTo }: SecretRecord,
  authorised: ReadonlySet<string>,
  expired: readonly Grantee[],
): ExposedSecret[] {
  const noted = exposedTo
    .filter(({ key }) => !authorised.has(key))
    .map((reader) => ({
      ...reader,
      grantExpired: expired.find((of) => keyOf(of) === reader.key)?.grant.expiresAt ?? null,
    }));
  const keys = new Set(noted.map(({ key }) => key));
  const besides = expired
    .filter((grantee) => !keys.has(keyOf(grantee)))
    .map(({ agent, grant }) => ({
      agent: agent.name,
      key: keyFingerprint(agent.verifyKey),
      since: later(grant.grantedAt, setAt),
      grantExpired: grant.expiresAt ?? null,
    }));
  const readers = [...noted, ...besides];
  return readers.length === 0 ? [] : [{ group, name, valueId, setAt, readers }];
}

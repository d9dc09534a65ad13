import type { AuditLine, AuditSecret } from "../../audit/event.ts";
import type { AgentName, GroupName, SecretRef } from "../../vault/names.ts";
import type { Timestamp } from "../../vault/time.ts";

/** Which lines are meant: those that pass all that is given. */
export interface LineFilter {
  readonly agent?: AgentName;
  readonly secret?: SecretRef;
  readonly group?: GroupName;
  /** From then on. */
  readonly since?: Timestamp;
  /** Before then. */
  readonly until?: Timestamp;
  readonly actions?: ReadonlySet<string>;
  readonly host?: string;
  /** How the fingerprint of the signing key begins. */
  readonly key?: string;
}

export function passes(filter: LineFilter, line: AuditLine): boolean {
  const { agent, since, until, actions, host, key } = filter;
  if (agent !== undefined && line.agent !== agent) return false;
  if (since !== undefined && line.time < since) return false;
  if (until !== undefined && line.time >= until) return false;
  if (actions?.has(line.action) === false) return false;
  if (host !== undefined && line.host !== host) return false;
  if (key !== undefined && !line.key.startsWith(key)) return false;
  return isAbout(filter, line);
}

/** Of a line that passes, the secrets that are meant. */
export function secretsIn(filter: LineFilter, { secrets = [] }: AuditLine): readonly AuditSecret[] {
  if (filter.secret === undefined && filter.group === undefined) return secrets;
  return secrets.filter(({ group, name }) => isMeant(filter, group, name));
}

export function isMeant({ secret, group: ofGroup }: LineFilter, group: string, name: string): boolean {
  if (ofGroup !== undefined && ofGroup !== group) return false;
  return secret === undefined || (secret.group === group && secret.name === name);
}

function isAbout(filter: LineFilter, line: AuditLine): boolean {
  const { secret, group } = filter;
  if (secret === undefined && group === undefined) return true;
  if (secret === undefined && line.group === group) return true;
  return (
    secretsIn(filter, line).length > 0 ||
    line.leaks?.some((leak) => isMeant(filter, ...splitRef(leak.secret))) === true
  );
}

/** `GROUP/NAME`, as a leak names a secret. */
export function splitRef(ref: string): readonly [group: string, name: string] {
  const slash = ref.indexOf("/");
  return slash === -1 ? ["", ref] : [ref.slice(0, slash), ref.slice(slash + 1)];
}

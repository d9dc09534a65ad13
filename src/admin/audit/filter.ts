import type { AuditSecret } from "../../audit/event.ts";
import type { LineShape, LineView } from "../../audit/finding.ts";
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

/** What tells which lines pass: it looks at each shape once, for many lines have the same. */
export function filterOf(filter: LineFilter): (line: LineView) => boolean {
  const from = filter.since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(filter.since);
  const until = filter.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(filter.until);
  const looked = new WeakMap<LineShape, boolean>();
  return ({ shape, at }) => {
    if (at < from || at >= until) return false;
    const known = looked.get(shape);
    if (known !== undefined) return known;
    const passes = isMeantShape(filter, shape);
    looked.set(shape, passes);
    return passes;
  };
}

function isMeantShape(filter: LineFilter, shape: LineShape): boolean {
  const { agent, actions, host, key } = filter;
  if (agent !== undefined && shape.agent !== agent) return false;
  if (actions?.has(shape.action) === false) return false;
  if (host !== undefined && shape.host !== host) return false;
  if (key !== undefined && !shape.key.startsWith(key)) return false;
  return isAbout(filter, shape);
}

/** Of a line that passes, the secrets that are meant. */
export function secretsIn(filter: LineFilter, { secrets = [] }: LineShape): readonly AuditSecret[] {
  if (filter.secret === undefined && filter.group === undefined) return secrets;
  return secrets.filter(({ group, name }) => isMeant(filter, group, name));
}

export function isMeant({ secret, group: ofGroup }: LineFilter, group: string, name: string): boolean {
  if (ofGroup !== undefined && ofGroup !== group) return false;
  return secret === undefined || (secret.group === group && secret.name === name);
}

function isAbout(filter: LineFilter, line: LineShape): boolean {
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

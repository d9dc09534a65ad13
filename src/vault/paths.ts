import { type AgentName, GROUP_NAME, type GroupName, SECRET_NAME, type SecretName } from "./names.ts";

/** A record's path below `.vault/`, with forward slashes. Made only here, from parsed names. */
export type RecordPath = string & { readonly __brand: "RecordPath" };

/** The part of the vault that is listed, pinned and found complete as one: an agent, a group, or the vault's root. */
export type Scope = string & { readonly __brand: "Scope" };

export const VAULT_PATH = "vault.json" as RecordPath;
export const ALLOW_PATH = "allow.json" as RecordPath;
export const ROOT_SCOPE = "vault" as Scope;

export const agentScope = (agent: AgentName): Scope => `agents/${agent}` as Scope;
export const groupScope = (group: GroupName): Scope => `groups/${group}` as Scope;

export const agentPath = (agent: AgentName): RecordPath => `agents/${agent}/agent.json` as RecordPath;
export const grantPath = (agent: AgentName, group: GroupName): RecordPath =>
  `agents/${agent}/grants/${group}.json` as RecordPath;
export const groupPath = (group: GroupName): RecordPath => `groups/${group}/group.json` as RecordPath;
export const secretPath = (group: GroupName, name: SecretName): RecordPath =>
  `groups/${group}/secrets/${name}.json` as RecordPath;

/** What a path says it is. Undefined for anything that is no record's path. */
export type Place =
  | { readonly kind: "vault" }
  | { readonly kind: "allow" }
  | { readonly kind: "agent"; readonly agent: AgentName }
  | { readonly kind: "grant"; readonly agent: AgentName; readonly group: GroupName }
  | { readonly kind: "group"; readonly group: GroupName }
  | { readonly kind: "secret"; readonly group: GroupName; readonly name: SecretName };

export function findPlace(path: string): Place | undefined {
  if (path === "vault.json") return { kind: "vault" };
  if (path === "allow.json") return { kind: "allow" };
  const [top, first, second, third, ...rest] = path.split("/");
  if (first === undefined || second === undefined || rest.length > 0 || !GROUP_NAME.test(first))
    return undefined;
  const leaf = third?.endsWith(".json") === true ? third.slice(0, -".json".length) : undefined;
  if (top === "agents" && third === undefined && second === "agent.json")
    return { kind: "agent", agent: first as AgentName };
  if (top === "groups" && third === undefined && second === "group.json")
    return { kind: "group", group: first as GroupName };
  if (leaf === undefined) return undefined;
  if (top === "agents" && second === "grants" && GROUP_NAME.test(leaf)) {
    return { kind: "grant", agent: first as AgentName, group: leaf as GroupName };
  }
  if (top === "groups" && second === "secrets" && SECRET_NAME.test(leaf)) {
    return { kind: "secret", group: first as GroupName, name: leaf as SecretName };
  }
  return undefined;
}

export function scopeOf(path: RecordPath): Scope {
  const [top, name] = path.split("/");
  return name === undefined ? ROOT_SCOPE : (`${top}/${name}` as Scope);
}

import { resolve } from "node:path";
import { requireKnown } from "../known-options.ts";
import { parseDescription } from "../vault/description.ts";
import { agentKeyPath } from "../vault/key-lookup.ts";
import type { Machine } from "../vault/machine.ts";
import {
  type AgentName,
  formatRef,
  parseAgentName,
  parseGroupName,
  parseSecretRef,
  parseVariableName,
} from "../vault/names.ts";
import { parseCommandRule, parseOrigin } from "../vault/policy.ts";
import { Secret } from "../vault/secret.ts";
import { parseExpiry, type Timestamp } from "../vault/time.ts";
import { change, type Made } from "./maker.ts";
import type { OwnerSession } from "./owner-session.ts";
import type { Plan } from "./plan.ts";
import { planAddAgent } from "./plans/add-agent.ts";
import { planGrant } from "./plans/grant.ts";
import { given } from "./plans/group-key.ts";
import { type Imported, type ImportItem, planImport } from "./plans/import.ts";
import { planPolicy } from "./plans/policy.ts";
import { planRekeyAgent } from "./plans/rekey-agent.ts";
import { planRemoveAgent } from "./plans/remove-agent.ts";
import { planRevoke } from "./plans/revoke.ts";
import { planSet } from "./plans/set.ts";
import { planUnset } from "./plans/unset.ts";

// What an owner may change, as values that `plan` and `apply` take (admin.ts): the verbs' own plans, with what the verbs ask
// their options for.

declare const RESULT: unique symbol;

/** A change that an owner can plan and apply. `Result` is what it leads to besides the vault's new state. */
export interface Change<Result> {
  /** As in the audit log. */
  readonly action: string;
  readonly [RESULT]?: Result;
}

/** What came of setting a value. */
export type SetOutcome = "new" | "new value" | "same value";

/** A value as text (its UTF-8 bytes), as bytes, or as a `Secret` that was read elsewhere. */
export type Value = string | Uint8Array | Secret;

/** A span from now (`90d`, `12h`), a date, an RFC 3339 time, or a `Date`. */
export type Expiry = string | Date;

export interface SetSecretOptions {
  /** The variable that it is injected as; otherwise its name. */
  readonly env?: string | undefined;
  readonly expires?: Expiry | undefined;
  readonly description?: string | undefined;
  readonly deliver?: "env" | "file" | undefined;
  /** Needed for a variable that makes programs load code. */
  readonly unsafeName?: boolean | undefined;
}

/** Sets a secret's value, and makes its group on first use. */
export function setSecret(
  ref: string,
  value: Value,
  options: SetSecretOptions = {},
): Change<{ readonly outcome: SetOutcome }> {
  requireKnown(options, ["env", "expires", "description", "deliver", "unsafeName"]);
  const place = parseSecretRef(ref);
  const secret = secretOf(formatRef(place), value);
  const { env, expires, deliver, unsafeName = false } = options;
  const description = parseDescription(options.description);
  const variable = env === undefined ? undefined : parseVariableName(env);
  return change("set", async (session) => {
    const expiresAt = expiryOf(expires, session);
    const settings = { env: variable, expiresAt, description, deliver, unsafeName };
    const { plan, outcome } = await planSet(session, place, secret, settings);
    return { plan, exposed: [], result: { outcome } };
  });
}

export interface ImportedSecret {
  readonly ref: string;
  readonly value: Value;
  readonly expires?: Expiry | undefined;
}

export interface ImportOutcome {
  /** `GROUP/NAME`. */
  readonly ref: string;
  readonly outcome: SetOutcome | "skipped";
  /** Why it was skipped; null where it was not. */
  readonly why: string | null;
}

export interface ImportOptions {
  /** Give secrets that exist a new value; otherwise they are skipped. */
  readonly replace?: boolean | undefined;
  /** Also take variables that make programs load code. */
  readonly unsafeName?: boolean | undefined;
}

/** Sets many secrets in one commit. What cannot be taken is skipped, and named in the result. */
export function importSecrets(
  secrets: readonly ImportedSecret[],
  options: ImportOptions = {},
): Change<{ readonly imported: readonly ImportOutcome[] }> {
  requireKnown(options, ["replace", "unsafeName"]);
  const { replace = false, unsafeName = false } = options;
  const named = secrets.map((secret) => {
    requireKnown(secret, ["ref", "value", "expires"]);
    const { ref, value, expires } = secret;
    const place = parseSecretRef(ref);
    return { ref: place, value: secretOf(formatRef(place), value), expires };
  });
  return change("set", async (session, _machine, progress) => {
    const items: ImportItem[] = named.map(({ ref, value, expires }) => {
      return { ref, value, expiresAt: expiryOf(expires, session) };
    });
    const { plan, imported } = await planImport(session, items, { replace, unsafeName }, progress);
    return { plan, exposed: [], result: { imported: imported.map(outcomeOf) } };
  });
}

/** Removes a secret. Git's history still holds its ciphertext. */
export function unsetSecret(ref: string): Change<undefined> {
  const place = parseSecretRef(ref);
  return change("unset", (session) => plain(planUnset(session, place)));
}

/** Gives an agent a group. Granting it again renews the expiry. */
export function grant(
  agent: string,
  group: string,
  options: { readonly expires?: Expiry | undefined } = {},
): Change<undefined> {
  requireKnown(options, ["expires"]);
  const [name, place] = [parseAgentName(agent), parseGroupName(group)];
  return change("grant", async (session) => {
    return plain(await planGrant(session, name, place, expiryOf(options.expires, session)));
  });
}

/** Takes a group from an agent: a new key for the group, and every secret of it sealed again. */
export function revoke(agent: string, group: string): Change<undefined> {
  const [name, place] = [parseAgentName(agent), parseGroupName(group)];
  return change("revoke", async (session, _machine, progress) => {
    const { plan, exposed } = await planRevoke(session, name, place, progress);
    return { plan, exposed, result: undefined };
  });
}

/** What a model may do with a group's secrets through `vault-run mcp`. What is left out stays as it is. */
export interface PolicyOptions {
  /** Whether it may be shown the values. */
  readonly reveal?: boolean | undefined;
  /** The beginnings of the commands that may run, `[["gh", "api"]]`. An empty list allows none, null allows any. */
  readonly commands?: readonly (readonly string[])[] | null | undefined;
  /** The origins that requests may go to, `https://api.example.org`. */
  readonly origins?: readonly string[] | undefined;
}

/** Changes a group's policy. */
export function setPolicy(group: string, policy: PolicyOptions): Change<undefined> {
  requireKnown(policy, ["reveal", "commands", "origins"]);
  const place = parseGroupName(group);
  const { reveal, commands, origins } = policy;
  if (reveal !== undefined && typeof reveal !== "boolean")
    throw new TypeError("reveal is neither true nor false");
  const rules = commands?.map((words) => [...parseCommandRule(JSON.stringify(words))]);
  const allowed = origins?.map(parseOrigin);
  return change("policy", async (session) => {
    const before = session.vault.group(place).policy;
    const kept = commands === null ? undefined : before.commands;
    const after = {
      reveal: reveal ?? before.reveal,
      commands: rules ?? kept,
      origins: allowed ?? before.origins,
    };
    return plain(planPolicy(session, place, given(after)));
  });
}

/** Removes an agent, and takes every group from it. */
export function removeAgent(agent: string): Change<undefined> {
  const name = parseAgentName(agent);
  return change("remove-agent", async (session, _machine, progress) => {
    const { plan, exposed } = await planRemoveAgent(session, name, progress);
    return { plan, exposed, result: undefined };
  });
}

export interface NewKey {
  /** Where the agent's key file was written; null where `keyFile: null` asked for none. */
  readonly keyFile: string | null;
  /** Then the key file's text; otherwise null. */
  readonly key: Secret | null;
}

export interface NewKeyOptions {
  /** Where its key file goes; otherwise where the launcher looks for it. Null: it is written nowhere and is in the result. */
  readonly keyFile?: string | null | undefined;
}

/** A new agent, and its key. */
export function addAgent(
  agent: string,
  options: NewKeyOptions & { readonly description?: string | undefined } = {},
): Change<NewKey> {
  requireKnown(options, ["description", "keyFile"]);
  const name = parseAgentName(agent);
  const description = parseDescription(options.description);
  return change("add-agent", async (session, machine) => {
    const { plan, keyFile } = await planAddAgent(session, name, description);
    return withKey(session, machine, name, { plan, exposed: [] }, keyFile, options);
  });
}

/** A new key for an agent whose old one others may have: refused from now on, and new keys for its groups. */
export function rekeyAgent(agent: string, options: NewKeyOptions = {}): Change<NewKey> {
  requireKnown(options, ["keyFile"]);
  const name = parseAgentName(agent);
  return change("rekey", async (session, machine, progress) => {
    const { plan, keyFile, exposed } = await planRekeyAgent(session, name, progress);
    return withKey(session, machine, name, { plan, exposed }, keyFile, options);
  });
}

function withKey(
  session: OwnerSession,
  machine: Machine,
  agent: AgentName,
  { plan, exposed }: Omit<Made<NewKey>, "result">,
  text: string,
  { keyFile }: NewKeyOptions,
): Made<NewKey> {
  if (keyFile === null) {
    const key = new Secret(`key of ${agent}`, Buffer.from(text));
    return { plan, exposed, result: { keyFile: null, key } };
  }
  const path =
    keyFile === undefined ? agentKeyPath(machine, session.vault.id, agent) : resolve(machine.cwd, keyFile);
  return { plan: { ...plan, keyFile: { path, text } }, exposed, result: { keyFile: path, key: null } };
}

function plain(plan: Plan): Made<undefined> {
  return { plan, exposed: [], result: undefined };
}

/** A copy, so that whoever gave it may dispose of theirs. */
function secretOf(ref: string, value: Value): Secret {
  if (typeof value === "string") return new Secret(ref, Buffer.from(value));
  const bytes = value instanceof Secret ? value.bytes() : value;
  if (!(bytes instanceof Uint8Array)) throw new TypeError("a value is text, bytes or a Secret");
  return new Secret(ref, Buffer.from(bytes));
}

function expiryOf(expires: Expiry | undefined, session: OwnerSession): Timestamp | undefined {
  if (expires === undefined) return undefined;
  return parseExpiry(typeof expires === "string" ? expires : expires.toISOString(), session.nowMs);
}

function outcomeOf({ ref, outcome }: Imported): ImportOutcome {
  const place = formatRef(ref);
  if (typeof outcome === "string") return { ref: place, outcome, why: null };
  const { skipped } = outcome;
  const why = typeof skipped === "string" ? skipped : `differs only in letter case from ${skipped.twinOf}`;
  return { ref: place, outcome: "skipped", why };
}

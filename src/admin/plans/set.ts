import { generateIdentity } from "../../age/generate.ts";
import type { Identity } from "../../age/identity.ts";
import { canonicalText } from "../../vault/canonical.ts";
import { formatRef, type GroupName, type SecretName, type SecretRef } from "../../vault/names.ts";
import { openGroup, openSecret } from "../../vault/open-sealed.ts";
import { groupPath, secretPath } from "../../vault/paths.ts";
import { MAX_VALUE_BYTES } from "../../vault/payload.ts";
import type { GroupRecord, SecretRecord } from "../../vault/schema.ts";
import type { Secret } from "../../vault/secret.ts";
import type { Timestamp } from "../../vault/time.ts";
import { isUnsafeVariable } from "../../vault/unsafe-names.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite } from "../plan.ts";
import { given, groupRecord, keptFields, type SecretFields, secretRecord } from "./group-key.ts";

/** What `set` may say besides the value. What is not said stays as it was, but for the expiry, which is the value's. */
export interface SetOptions {
  readonly env?: string | undefined;
  readonly expiresAt?: Timestamp | undefined;
  readonly description?: string | undefined;
  readonly deliver?: "env" | "file" | undefined;
  readonly unsafeName: boolean;
}

export type SetOutcome = "new" | "new value" | "same value";

/**
 * Sets a secret's value; makes its group on first use. Setting the value it already has is no rotation, and where nothing
 * else changes either the plan is empty.
 */
export async function planSet(
  session: OwnerSession,
  ref: SecretRef,
  value: Secret,
  options: SetOptions,
): Promise<{ plan: Plan; outcome: SetOutcome }> {
  refuseTwin(session, ref);
  const current = findCurrent(session, ref);
  requireValue(value, options.deliver ?? current?.deliver ?? "env");
  requireSafeName(
    ref,
    options.env ?? current?.env ?? ref.name,
    options.unsafeName || current?.unsafeName === true,
  );
  const known = session.vault.findGroup(ref.group);
  const same =
    current !== undefined &&
    known !== undefined &&
    (await isCurrentValue(current, await openGroup(known, session.identity), value));
  const secretsOf = (record: SecretRecord) => [{ ...ref, valueId: record.valueId }];
  const message = `vault-run: set ${formatRef(ref)}`;
  if (
    same &&
    current !== undefined &&
    isSettled(current, settledFields(session, options, { current, same }))
  ) {
    const event = { action: "set", group: ref.group, secrets: secretsOf(current) } as const;
    return { plan: { event, writes: [], message }, outcome: "same value" };
  }
  const group = known ?? (await newGroup(session, ref.group));
  const writes: PlannedWrite[] = known === undefined ? [{ path: groupPath(ref.group), record: group }] : [];
  const record = await settledRecord(session, group, ref, value, options, { current, same });
  writes.push({ path: secretPath(ref.group, ref.name), record });
  const plan: Plan = {
    event: { action: "set", group: ref.group, secrets: secretsOf(record) },
    writes,
    message,
  };
  return { plan, outcome: same ? "same value" : current === undefined ? "new" : "new value" };
}

export function findCurrent(session: OwnerSession, ref: SecretRef): SecretRecord | undefined {
  const found = session.vault.findSecret(ref);
  return found?.type === "secret" ? found : undefined;
}

/** What a secret is before its value is set, and whether that is the value it has. */
interface Before {
  readonly current: SecretRecord | undefined;
  readonly same: boolean;
}

/** A secret's record with this value. What `options` do not say is as in the current one. */
export function settledRecord(
  session: OwnerSession,
  group: GroupRecord,
  ref: SecretRef,
  value: Secret,
  options: SetOptions,
  before: Before,
): Promise<SecretRecord> {
  return secretRecord(session, group, ref.name, settledFields(session, options, before), value.bytes());
}

function settledFields(session: OwnerSession, options: SetOptions, { current, same }: Before): SecretFields {
  const kept = same ? current : undefined;
  const unsafeName = options.unsafeName || current?.unsafeName === true;
  return {
    valueId: kept?.valueId ?? session.newValueId(),
    setAt: kept?.setAt ?? session.now,
    exposedTo: kept?.exposedTo ?? [],
    deliver: options.deliver ?? current?.deliver ?? "env",
    ...given({
      env: options.env ?? current?.env,
      expiresAt: options.expiresAt ?? kept?.expiresAt,
      description: options.description ?? current?.description,
      unsafeName: unsafeName ? (true as const) : undefined,
    }),
  };
}

function isSettled(current: SecretRecord, fields: SecretFields): boolean {
  return canonicalText(keptFields(current)) === canonicalText(fields);
}

export async function newGroup(session: OwnerSession, name: GroupName): Promise<GroupRecord> {
  const identity = await generateIdentity(session.vault.suite);
  return groupRecord(session, { name, epoch: 1, createdAt: session.now, policy: {} }, identity);
}

/** @param group the identity of the secret's group. */
export async function isCurrentValue(
  current: SecretRecord,
  group: Identity,
  value: Secret,
): Promise<boolean> {
  using old = await openSecret(current, group);
  return old.bytes().equals(value.bytes());
}

export type ValueProblem = "empty" | "too large" | "not text";

export function findValueProblem(value: Secret, deliver: "env" | "file"): ValueProblem | undefined {
  const bytes = value.bytes();
  if (bytes.length === 0) return "empty";
  if (bytes.length > MAX_VALUE_BYTES) return "too large";
  return deliver === "env" && !value.isText() ? "not text" : undefined;
}

function requireValue(value: Secret, deliver: "env" | "file"): void {
  switch (findValueProblem(value, deliver)) {
    case "empty":
      throw new VaultError(
        "bad-value",
        `an empty value is no secret: ${value.ref}`,
        "give the value on standard input, at the prompt, or with --from-file",
      );
    case "too large":
      throw new VaultError(
        "bad-value",
        `a value holds at most 1 MiB, and this one is larger: ${value.ref}`,
        "store a key to the data rather than the data",
      );
    case "not text":
      throw new VaultError(
        "bad-value",
        `this value cannot stand in a variable (it has a NUL byte or is not UTF-8): ${value.ref}`,
        "pass --as-file to have it delivered as an in-memory file",
      );
  }
}

function requireSafeName(ref: SecretRef, variable: string, unsafeName: boolean): void {
  if (unsafeName || !isUnsafeVariable(variable)) return;
  throw new VaultError(
    "unsafe-name",
    `the variable ${variable} makes programs load code or change what they run: ${formatRef(ref)}`,
    "choose another variable with --env, or pass --unsafe-name if that is what you want",
  );
}

/** The names a group has or had: a tombstone keeps its name too. */
export function takenNames(session: OwnerSession, group: GroupName): readonly SecretName[] {
  return session.vault.findGroup(group) === undefined ? [] : session.vault.takenNames(group);
}

/** Names that differ only in letter case cannot be told apart on every file system. */
function refuseTwin(session: OwnerSession, ref: SecretRef): void {
  const taken = takenNames(session, ref.group);
  const twin = taken.find((name) => name !== ref.name && name.toLowerCase() === ref.name.toLowerCase());
  if (twin === undefined) return;
  throw new VaultError(
    "bad-name",
    `differs only in letter case from ${ref.group}/${twin}: ${formatRef(ref)}`,
    "use that spelling, or another name; --env gives it any variable you like",
  );
}

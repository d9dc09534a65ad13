import { generateIdentity } from "../../age/generate.ts";
import { formatRef, type GroupName, type SecretRef } from "../../vault/names.ts";
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
import { given, groupRecord, type SecretFields, secretRecord } from "./group-key.ts";

/** What `set` may say besides the value. What is not said stays as it was, but for the expiry, which is the value's. */
export interface SetOptions {
  readonly env?: string | undefined;
  readonly expiresAt?: Timestamp | undefined;
  readonly description?: string | undefined;
  readonly deliver?: "env" | "file" | undefined;
  readonly unsafeName: boolean;
}

export type SetOutcome = "new" | "new value" | "same value";

/** Sets a secret's value; makes its group on first use. Setting the value it already has is no rotation. */
export async function planSet(
  session: OwnerSession,
  ref: SecretRef,
  value: Secret,
  options: SetOptions,
): Promise<{ plan: Plan; outcome: SetOutcome }> {
  refuseTwin(session, ref);
  const found = session.vault.findSecret(ref);
  const current = found?.type === "secret" ? found : undefined;
  const deliver = options.deliver ?? current?.deliver ?? "env";
  const env = options.env ?? current?.env;
  const unsafeName = options.unsafeName || current?.unsafeName === true;
  requireValue(value, deliver);
  requireSafeName(ref, env ?? ref.name, unsafeName);
  const same = current !== undefined && (await isCurrentValue(session, current, value));
  const writes: PlannedWrite[] = [];
  const group = session.vault.findGroup(ref.group) ?? (await newGroup(session, ref.group));
  if (session.vault.findGroup(ref.group) === undefined)
    writes.push({ path: groupPath(ref.group), record: group });
  const fields: SecretFields = {
    valueId: same ? current.valueId : session.newValueId(),
    setAt: same ? current.setAt : session.now,
    exposedTo: same ? current.exposedTo : [],
    deliver,
    ...given({
      env,
      expiresAt: options.expiresAt ?? (same ? current.expiresAt : undefined),
      description: options.description ?? current?.description,
      unsafeName: unsafeName ? (true as const) : undefined,
    }),
  };
  const record = await secretRecord(session, group, ref.name, fields, value.bytes());
  writes.push({ path: secretPath(ref.group, ref.name), record });
  const secrets = [{ ...ref, valueId: record.valueId }];
  const message = `vault-run: set ${formatRef(ref)}`;
  const plan: Plan = { event: { action: "set", group: ref.group, secrets }, writes, message };
  return { plan, outcome: same ? "same value" : current === undefined ? "new" : "new value" };
}

async function newGroup(session: OwnerSession, name: GroupName): Promise<GroupRecord> {
  const identity = await generateIdentity(session.vault.suite);
  return groupRecord(session, { name, epoch: 1, createdAt: session.now, policy: {} }, identity);
}

async function isCurrentValue(session: OwnerSession, current: SecretRecord, value: Secret): Promise<boolean> {
  const group = await openGroup(session.vault.group(current.group), session.identity);
  using old = await openSecret(current, group);
  return old.bytes().equals(value.bytes());
}

function requireValue(value: Secret, deliver: "env" | "file"): void {
  const bytes = value.bytes();
  if (bytes.length === 0) {
    throw new VaultError(
      "bad-value",
      `an empty value is no secret: ${value.ref}`,
      "give the value on standard input, at the prompt, or with --from-file",
    );
  }
  if (bytes.length > MAX_VALUE_BYTES) {
    throw new VaultError(
      "bad-value",
      `a value holds at most 1 MiB, and this one is larger: ${value.ref}`,
      "store a key to the data rather than the data",
    );
  }
  if (deliver === "env" && !value.isText()) {
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

/** Names that differ only in letter case cannot be told apart on every file system. A tombstone keeps its name too. */
function refuseTwin(session: OwnerSession, ref: SecretRef): void {
  const taken = session.vault.findGroup(ref.group) === undefined ? [] : session.vault.takenNames(ref.group);
  const twin = taken.find((name) => name !== ref.name && name.toLowerCase() === ref.name.toLowerCase());
  if (twin === undefined) return;
  throw new VaultError(
    "bad-name",
    `differs only in letter case from ${ref.group}/${twin}: ${formatRef(ref)}`,
    "use that spelling, or another name; --env gives it any variable you like",
  );
}

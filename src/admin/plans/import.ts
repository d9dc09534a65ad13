import type { Identity } from "../../age/identity.ts";
import { formatRef, type GroupName, type SecretName, type SecretRef } from "../../vault/names.ts";
import { openGroup } from "../../vault/open-sealed.ts";
import { groupPath, secretPath } from "../../vault/paths.ts";
import type { GroupRecord, SecretRecord } from "../../vault/schema.ts";
import type { Secret } from "../../vault/secret.ts";
import type { Timestamp } from "../../vault/time.ts";
import { isUnsafeVariable } from "../../vault/unsafe-names.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { Plan, PlannedWrite, Progress } from "../plan.ts";
import { given } from "./group-key.ts";
import {
  findCurrent,
  findValueProblem,
  isCurrentValue,
  newGroup,
  type SetOutcome,
  settledRecord,
  takenNames,
  type ValueProblem,
} from "./set.ts";

export interface ImportItem {
  readonly ref: SecretRef;
  readonly value: Secret;
  readonly expiresAt?: Timestamp | undefined;
}

export interface ImportOptions {
  /** Give secrets that exist a new value. */
  readonly replace: boolean;
  /** Also take variables that make programs load code. */
  readonly unsafeName: boolean;
}

export type Obstacle = ValueProblem | "exists" | "unsafe name" | { readonly twinOf: SecretName };

export interface Imported {
  readonly ref: SecretRef;
  readonly outcome: SetOutcome | { readonly skipped: Obstacle };
}

/**
 * Sets many secrets in one plan, which makes their groups on first use. A secret that has its value already is not written.
 *
 * @throws {VaultError} where two values are for one secret.
 */
export async function planImport(
  session: OwnerSession,
  items: readonly ImportItem[],
  options: ImportOptions,
  progress: Progress,
): Promise<{ plan: Plan; imported: Imported[] }> {
  requireEachOnce(items);
  const writes: PlannedWrite[] = [];
  const written: SecretRecord[] = [];
  const imported: Imported[] = [];
  for (const [name, own] of Map.groupBy(items, ({ ref }) => ref.group)) {
    const group = new GroupImport(session, name, options);
    for (const item of own) {
      imported.push({ ref: item.ref, outcome: await group.take(item) });
      progress(imported.length, items.length);
    }
    writes.push(...group.writes());
    written.push(...group.records);
  }
  const secrets = written.map(({ group, name, valueId }) => ({ group, name, valueId }));
  const groups = [...new Set(written.map(({ group }) => group))];
  const only = groups.length === 1 ? groups[0] : undefined;
  const message = `vault-run: import ${written.length} ${written.length === 1 ? "secret" : "secrets"} into ${groups.join(", ")}`;
  return {
    plan: { event: { action: "set", ...given({ group: only }), secrets }, writes, message },
    imported,
  };
}

function requireEachOnce(items: readonly ImportItem[]): void {
  const named = new Set<string>();
  for (const { ref } of items) {
    const place = formatRef(ref);
    if (named.has(place))
      throw new VaultError("usage", `named twice: ${place}`, "name each secret to import once");
    named.add(place);
  }
}

class GroupImport {
  readonly records: SecretRecord[] = [];
  readonly #session: OwnerSession;
  readonly #name: GroupName;
  readonly #options: ImportOptions;
  readonly #known: GroupRecord | undefined;
  /** By their lower-case spelling. */
  readonly #taken: Map<string, SecretName>;
  #made: GroupRecord | undefined;
  #identity: Identity | undefined;

  constructor(session: OwnerSession, name: GroupName, options: ImportOptions) {
    this.#session = session;
    this.#name = name;
    this.#options = options;
    this.#known = session.vault.findGroup(name);
    this.#taken = new Map(takenNames(session, name).map((taken) => [taken.toLowerCase(), taken]));
  }

  async take({ ref, value, expiresAt }: ImportItem): Promise<Imported["outcome"]> {
    const current = findCurrent(this.#session, ref);
    const skipped = this.#findObstacle(ref, value, current);
    if (skipped !== undefined) return { skipped };
    if (current !== undefined && (await this.#holds(current, value))) return "same value";
    if (current !== undefined && !this.#options.replace) return { skipped: "exists" };
    if (this.#known === undefined) this.#made ??= await newGroup(this.#session, this.#name);
    const group = this.#known ?? (this.#made as GroupRecord);
    const unsafeName = this.#options.unsafeName && isUnsafeVariable(current?.env ?? ref.name);
    const before = { current, same: false };
    this.records.push(
      await settledRecord(this.#session, group, ref, value, { unsafeName, expiresAt }, before),
    );
    this.#taken.set(ref.name.toLowerCase(), ref.name);
    return current === undefined ? "new" : "new value";
  }

  writes(): PlannedWrite[] {
    const group = this.#made === undefined ? [] : [{ path: groupPath(this.#name), record: this.#made }];
    const secrets = this.records.map((record) => ({ path: secretPath(record.group, record.name), record }));
    return [...group, ...secrets];
  }

  #findObstacle(ref: SecretRef, value: Secret, current: SecretRecord | undefined): Obstacle | undefined {
    const twinOf = this.#taken.get(ref.name.toLowerCase());
    if (twinOf !== undefined && twinOf !== ref.name) return { twinOf };
    const mayBeUnsafe = this.#options.unsafeName || current?.unsafeName === true;
    if (!mayBeUnsafe && isUnsafeVariable(current?.env ?? ref.name)) return "unsafe name";
    return findValueProblem(value, current?.deliver ?? "env");
  }

  async #holds(current: SecretRecord, value: Secret): Promise<boolean> {
    this.#identity ??= await openGroup(this.#session.vault.group(this.#name), this.#session.identity);
    return isCurrentValue(current, this.#identity, value);
  }
}

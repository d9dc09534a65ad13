import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseVerifyKey, type VerifyKey } from "../age/signing-key.ts";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { type Lock, takeLock } from "./lock.ts";
import type { LockSelf } from "./lock-holder.ts";
import { findPlace, type RecordPath, ROOT_SCOPE, type Scope, scopeOf, VAULT_PATH } from "./paths.ts";
import { findExcess } from "./record.ts";
import { dictionary, list, object, optional, type Shaped, text, that } from "./shape.ts";
import { makeFolder } from "./write-file.ts";

// What this machine has seen of a vault, outside the repo: per record the highest serial and its digest,
// and which owner keys were accepted. One file per scope, so that a launch reads the pins of what it was granted and not
// those of the whole vault. Files are replaced as a whole under a short lock and merged upwards, so that parallel
// launches never lower a pin. Nothing is written when nothing is new.

const LOCK_WAIT_MS = 10_000;
/** Pins are written in milliseconds: a lock this old was left behind, on whatever host. */
const LOCK_STALE_MS = 5_000;
const MAX_DEPTH = 3;

export interface Pin {
  readonly serial: number;
  /** The record's digest (record.ts). */
  readonly digest: string;
}

/** The verify keys of a vault's owners, and of those who were owners once. */
export interface OwnerKeys {
  readonly current: readonly VerifyKey[];
  readonly former: readonly VerifyKey[];
}

const verifyKey = text<VerifyKey>((key) => parseVerifyKey(key) !== undefined);
const pinFile = object({
  records: dictionary(
    (path) => findPlace(path) !== undefined,
    object({
      serial: that<number>(Number.isSafeInteger),
      digest: text<string>((digest) => /^[0-9a-f]{64}$/.test(digest)),
    }),
  ),
  owners: optional(list(verifyKey, 1)),
  formerOwners: optional(list(verifyKey, 1)),
});
type PinFile = Shaped<typeof pinFile>;

export class Pins {
  readonly #folder: string;
  readonly #files = new Map<Scope, PinFile>();
  readonly #isUnderWay: () => boolean;

  /**
   * @param stateFolder this vault's own folder below XDG_STATE_HOME; need not exist.
   * @param isUnderWay whether a change to the vault is half made, which may yet be taken back: then nothing is saved.
   */
  constructor(stateFolder: string, isUnderWay: () => boolean = () => false) {
    this.#folder = `${stateFolder}/pins`;
    this.#isUnderWay = isUnderWay;
  }

  /** The owner keys accepted on this machine, or undefined where the vault was never verified here. */
  findOwners(): OwnerKeys | undefined {
    const { owners, formerOwners } = this.#read(ROOT_SCOPE);
    return owners === undefined ? undefined : { current: owners, former: formerOwners ?? [] };
  }

  find(path: RecordPath): Pin | undefined {
    const { records } = this.#read(scopeOf(path));
    return Object.hasOwn(records, path) ? records[path] : undefined;
  }

  /** Whether a record that is not there was seen before, so that its absence is an error. */
  expects(path: RecordPath): boolean {
    return this.find(path) !== undefined;
  }

  /** Records of which a newer version is known to be on another branch, and which branch; none but where branches are looked at. */
  get newerElsewhere(): ReadonlyMap<RecordPath, string> {
    return new Map();
  }

  /** Every record ever seen in a scope. */
  pathsIn(scope: Scope): RecordPath[] {
    return Object.keys(this.#read(scope).records) as RecordPath[];
  }

  /** Every record ever seen. */
  paths(): RecordPath[] {
    const scopes = [
      ROOT_SCOPE,
      ...this.namesIn("agents").map((name) => `agents/${name}` as Scope),
      ...this.namesIn("groups").map((name) => `groups/${name}` as Scope),
    ];
    return scopes.flatMap((scope) => this.pathsIn(scope));
  }

  /** The agents or groups of which a record was ever seen. */
  namesIn(top: "agents" | "groups"): string[] {
    try {
      const files = readdirSync(`${this.#folder}/${top}`);
      return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw diskError(error, "list the pins in", `${this.#folder}/${top}`);
    }
  }

  /** Refuses a record that is older than one seen before, or differs from it under the same serial. */
  check(path: RecordPath, seen: Pin): void {
    const pin = this.find(path);
    if (pin === undefined || seen.serial > pin.serial) return;
    if (seen.serial < pin.serial) {
      throw new VaultError(
        "record-rollback",
        `older than a record this machine has already seen (serial ${seen.serial}, seen ${pin.serial}): .vault/${path}`,
        "pull the latest vault; if you checked out an old commit on purpose, nothing in it may be used",
      );
    }
    if (seen.digest !== pin.digest) {
      throw new VaultError(
        "record-conflict",
        `another record under a serial this machine has already seen (${seen.serial}): .vault/${path}`,
        "two versions of this record exist; compare git log on both sides before you trust either",
      );
    }
  }

  /**
   * Raises the pins to what was seen. Call only after everything checked out. Of a record that a higher serial was pinned of
   * meanwhile, nothing in its file is raised, and all other files are.
   *
   * @param stands whether what was seen is still there.
   */
  async save(
    seen: ReadonlyMap<RecordPath, Pin>,
    owners: OwnerKeys,
    self: LockSelf,
    stands: () => boolean = () => true,
  ): Promise<void> {
    // In this order: what stands once no change is under way was not taken back.
    await this.#save(seen, owners, self, () => !this.#isUnderWay() && stands());
  }

  /** Pins what a change wrote, and what it was made from where nothing newer is pinned: a higher pin stays as it is. */
  async raise(seen: ReadonlyMap<RecordPath, Pin>, owners: OwnerKeys, self: LockSelf): Promise<void> {
    const isHigher = ([path, { serial }]: [RecordPath, Pin]) => serial >= (this.find(path)?.serial ?? 0);
    await this.#save(seen, owners, self, () => true, isHigher);
  }

  async #save(
    seen: ReadonlyMap<RecordPath, Pin>,
    owners: OwnerKeys,
    self: LockSelf,
    isSettled: () => boolean,
    isWanted: (entry: [RecordPath, Pin]) => boolean = () => true,
  ): Promise<void> {
    if (this.#news(seen, owners).length === 0) return;
    makeFolder(this.#folder);
    const lock = await takeLock(`${this.#folder}/lock`, self, {
      waitMs: LOCK_WAIT_MS,
      staleAfterMs: LOCK_STALE_MS,
      isMoot: () => {
        this.#files.clear();
        return this.#news(seen, owners).length === 0;
      },
    });
    if (lock === undefined) return;
    try {
      // Another process may have written the same meanwhile: what is still new is asked again under the lock.
      this.#files.clear();
      if (!isSettled()) return;
      const wanted = new Map([...seen].filter(isWanted));
      // The owners are those of the newest vault.json.
      const isPast = seen.has(VAULT_PATH) && !wanted.has(VAULT_PATH);
      this.#raiseAll(wanted, (isPast ? this.findOwners() : undefined) ?? owners, lock);
    } finally {
      lock.release();
    }
  }

  /** What is refused in one file keeps no other from being raised. */
  #raiseAll(seen: ReadonlyMap<RecordPath, Pin>, owners: OwnerKeys, lock: Lock): void {
    const refusals: unknown[] = [];
    for (const scope of this.#news(seen, owners)) {
      try {
        this.#raise(scope, seen, owners, lock);
      } catch (error) {
        refusals.push(error);
      }
    }
    if (refusals.length > 0) throw refusals[0];
  }

  #news(seen: ReadonlyMap<RecordPath, Pin>, owners: OwnerKeys): Scope[] {
    const scopes = new Set<Scope>();
    for (const [path, pin] of seen) {
      const known = this.find(path);
      if (known === undefined || known.serial < pin.serial) scopes.add(scopeOf(path));
    }
    const pinned = this.findOwners();
    if (pinned === undefined || !sameOwners(pinned, afterwards(pinned, owners))) scopes.add(ROOT_SCOPE);
    return [...scopes];
  }

  #raise(scope: Scope, seen: ReadonlyMap<RecordPath, Pin>, owners: OwnerKeys, lock: Lock): void {
    const file = structuredClone(this.#read(scope));
    for (const [path, pin] of seen) {
      if (scopeOf(path) !== scope) continue;
      this.check(path, pin);
      if (pin.serial < (this.find(path)?.serial ?? 0)) continue;
      file.records[path] = { serial: pin.serial, digest: pin.digest };
    }
    if (scope === ROOT_SCOPE) {
      const { current, former } = afterwards(this.findOwners(), owners);
      file.owners = [...current];
      if (former.length > 0) file.formerOwners = [...former];
    }
    makeFolder(dirname(this.#path(scope)));
    lock.replaceFile(this.#path(scope), Buffer.from(`${JSON.stringify(file)}\n`));
    this.#files.set(scope, file);
  }

  #read(scope: Scope): PinFile {
    const cached = this.#files.get(scope);
    if (cached !== undefined) return cached;
    const path = this.#path(scope);
    const file = readPinFile(path);
    this.#files.set(scope, file);
    return file;
  }

  #path(scope: Scope): string {
    return `${this.#folder}/${scope}.json`;
  }
}

function readPinFile(path: string): PinFile {
  let json: Buffer;
  try {
    json = readFileSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { records: {} };
    throw diskError(error, "read the pins in", path);
  }
  try {
    // What is nested deeper than it may be would only be built to be refused.
    if (findExcess(json, MAX_DEPTH, Number.POSITIVE_INFINITY) !== undefined) throw unreadable(path);
    const file: unknown = JSON.parse(json.toString());
    if (pinFile.findMismatch(file) === undefined) return file as PinFile;
  } catch {
    // Falls through to the one answer for a file that cannot be understood.
  }
  throw unreadable(path);
}

function unreadable(path: string): VaultError {
  return new VaultError(
    "disk",
    `not a file of pins: ${path}`,
    "restore it from a backup; without it an old vault could pass for the current one",
  );
}

/** What is pinned once `seen` is: who was an owner here, and is none in it, is a former one for good. */
function afterwards(pinned: OwnerKeys | undefined, { current, former }: OwnerKeys): OwnerKeys {
  const once = new Set([...(pinned?.former ?? []), ...(pinned?.current ?? []), ...former]);
  if (pinned?.former.some((key) => current.includes(key)) === true) throw formerOwner();
  for (const key of current) once.delete(key);
  return { current, former: [...once] };
}

/** The refusal of a vault that lists someone who is known to be no owner any more. */
export function formerOwner(): VaultError {
  return new VaultError(
    "untrusted",
    "it lists an owner whose key is known here to have been removed or replaced: .vault/vault.json",
    "someone put an owner back who is none; pull the latest vault, and see who did: git log -- .vault/vault.json",
  );
}

function sameOwners(a: OwnerKeys, b: OwnerKeys): boolean {
  return sameKeys(a.current, b.current) && sameKeys(a.former, b.former);
}

function sameKeys(a: readonly VerifyKey[], b: readonly VerifyKey[]): boolean {
  return a.length === b.length && a.every((key) => b.includes(key));
}

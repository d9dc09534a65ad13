import { type RecordPath, VAULT_PATH } from "../../vault/paths.ts";
import type { OwnerKeys, Pin } from "../../vault/pins.ts";
import { decodeRecord, recordDigest, signedBytes } from "../../vault/record.ts";
import type { RecordSource } from "../../vault/record-source.ts";
import type { VaultRecord } from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import { BranchedPins } from "../branched-pins.ts";

// What comes from another clone lacks what was done here and not pushed yet: of that this machine has seen newer records,
// and it is no rollback. A record that the others left as it was when the two parted is not judged: ours stays in the
// merge. One that they changed must be newer than it was then, and than every one seen here but our own. Likewise they still
// have the owners whom we have removed or given another key since: whoever this machine knows to have been an owner then counts
// as one for what came, and for nothing that the merge makes of it.

export class IncomingPins extends BranchedPins {
  readonly #base: RecordSource;
  readonly #local: RecordSource;

  /** @param base the vault where the two histories parted. @param local ours. */
  constructor(stateFolder: string, base: RecordSource, local: RecordSource) {
    super(stateFolder, local.root);
    this.#base = base;
    this.#local = local;
  }

  /** Whether the owners may have changed here since, which nobody there can know. */
  get areOwnersOurs(): boolean {
    const [before, own] = [pinOf(VAULT_PATH, this.#base), pinOf(VAULT_PATH, this.#local)];
    return before !== undefined && before.digest !== own?.digest;
  }

  override findOwners(): OwnerKeys | undefined {
    const pinned = super.findOwners();
    if (pinned === undefined || !this.areOwnersOurs) return pinned;
    const then = ownersIn(this.#base);
    const former = pinned.former.filter((key) => !then.includes(key));
    return { current: [...pinned.current, ...pinned.former.filter((key) => then.includes(key))], former };
  }

  override check(path: RecordPath, seen: Pin): void {
    const before = pinOf(path, this.#base);
    if (before?.serial === seen.serial && before.digest === seen.digest) return;
    if (before !== undefined && seen.serial <= before.serial) throw putBack(path, seen, before);
    if (this.#isOurs(path)) return;
    super.check(path, seen);
  }

  override expects(path: RecordPath): boolean {
    if (this.#base.has(path)) return true;
    return super.expects(path) && !this.#isOurs(path);
  }

  /** Whether we have the newest one seen, or one that is newer still: a merge that was staged is not pinned yet. */
  #isOurs(path: RecordPath): boolean {
    const [pin, own] = [this.find(path), pinOf(path, this.#local)];
    if (pin === undefined || own === undefined) return false;
    return own.serial > pin.serial || (own.serial === pin.serial && own.digest === pin.digest);
  }
}

function ownersIn(files: RecordSource): string[] {
  const bytes = files.read(VAULT_PATH);
  if (bytes === undefined) return [];
  return (decodeRecord(VAULT_PATH, bytes) as VaultRecord).owners.map((owner) => owner.verifyKey);
}

function pinOf(path: RecordPath, files: RecordSource): Pin | undefined {
  const bytes = files.read(path);
  if (bytes === undefined) return undefined;
  const record = decodeRecord(path, bytes);
  return { serial: record.serial, digest: recordDigest(signedBytes(record)) };
}

type Serial = Pick<Pin, "serial">;

export function putBack(path: RecordPath, seen: Serial, before: Serial): VaultError {
  return new VaultError(
    "record-rollback",
    `an older record was put back (serial ${seen.serial}, before it ${before.serial}): .vault/${path}`,
    `see who pushed it; nothing here was changed`,
  );
}

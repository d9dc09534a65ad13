import { requireKnown } from "../known-options.ts";
import { machineOfCaller } from "../machine.ts";
import { vaultRootFor } from "../vault/find-vault.ts";
import type { Machine } from "../vault/machine.ts";
import type { Admin, AdminOptions, OwnerOptions } from "./admin.ts";
import { initVault } from "./init.ts";
import { openAdminOn } from "./open-admin.ts";

// What `import … from "vault-run/admin"` offers: the owner's side. A change is a value; `plan` says what it would do, and
// `apply` does it, as the verbs do. The one file of this room that reads the process.

export { Secret } from "../vault/secret.ts";
export { VaultError, type VaultErrorCode } from "../vault-error.ts";
export type {
  Admin,
  AdminOptions,
  Applied,
  ApplyOptions,
  Exposed,
  ListedAgent,
  ListedGroup,
  ListedSecret,
  Listing,
  OwnerOptions,
  Passphrase,
  Planned,
} from "./admin.ts";
export {
  addAgent,
  type Change,
  type Expiry,
  grant,
  type ImportedSecret,
  type ImportOptions,
  type ImportOutcome,
  importSecrets,
  type NewKey,
  type NewKeyOptions,
  type PolicyOptions,
  rekeyAgent,
  removeAgent,
  revoke,
  type SetOutcome,
  type SetSecretOptions,
  setPolicy,
  setSecret,
  unsetSecret,
  type Value,
} from "./change.ts";

/**
 * Opens a vault with an owner's key. What is read is verified as every verb does.
 *
 * @throws {VaultError}
 */
export async function openAdmin(options: AdminOptions = {}): Promise<Admin> {
  requireKnown(options, ["vault", "ownerKeyFile", "passphrase", "auditTo", "onWarning"]);
  return openAdminOn(await ownersMachine(options), options, warnOf(options));
}

export interface NewVaultOptions extends Omit<OwnerOptions, "passphrase"> {
  /** The folder, in a git repository, that `.vault` is made in. */
  readonly folder: string;
  /** `pq` (the default) is post-quantum, `classic` X25519. */
  readonly suite?: "pq" | "classic" | undefined;
  /** Otherwise `owner`. */
  readonly ownerName?: string | undefined;
  /** Whether a value is refused where its pull cannot be recorded; otherwise `required`. */
  readonly audit?: "required" | "best-effort" | undefined;
  readonly commit?: boolean | undefined;
}

const NEW_VAULT_OPTIONS = [
  "folder",
  "suite",
  "ownerName",
  "audit",
  "commit",
  "ownerKeyFile",
  "auditTo",
  "onWarning",
];

export interface NewVault {
  readonly id: string;
  /** The owner's key file: to be backed up, it opens everything. */
  readonly ownerKeyFile: string;
  readonly verifyKey: string;
  readonly commit: string | null;
}

/**
 * Makes a vault and its owner's key, which `vault-run passphrase` puts a passphrase on.
 *
 * @throws {VaultError}
 */
export async function createVault(options: NewVaultOptions): Promise<NewVault> {
  requireKnown(options, NEW_VAULT_OPTIONS);
  const machine = await machineOfCaller(process, options.auditTo);
  const { suite = "pq", ownerName = "owner", audit = "required", commit = true, ownerKeyFile } = options;
  const root = vaultRootFor(machine, options.folder);
  const settings = { root, ownerKeyFile, commit, doing: "init", suite, ownerName, audit };
  const made = await initVault(machine, settings, { note: warnOf(options) });
  return {
    id: made.vault,
    ownerKeyFile: made.keyPath,
    verifyKey: made.verifyKey,
    commit: made.commit ?? null,
  };
}

async function ownersMachine({ passphrase, auditTo }: OwnerOptions): Promise<Machine> {
  const machine = await machineOfCaller(process, auditTo);
  if (passphrase === undefined) return machine;
  // What is named explicitly is final.
  const env = { ...machine.env, VAULT_RUN_OWNER_PASSPHRASE_FILE: undefined };
  return { ...machine, env, askPassphrase: async () => Buffer.from(await passphrase()) };
}

function warnOf({ onWarning }: OwnerOptions): (text: string) => void {
  return onWarning ?? ((text) => process.emitWarning(text, "VaultWarning"));
}

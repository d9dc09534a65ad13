import { VAULT_PATH } from "../../vault/paths.ts";
import type { VaultRecord } from "../../vault/schema.ts";
import { isSignedAlong } from "../../vault/trust.ts";
import { ownerKeys } from "../../vault/vault.ts";
import { VaultError } from "../../vault-error.ts";
import type { OwnerSession } from "../owner-session.ts";
import { later } from "./decide.ts";
import { verifySides } from "./decisions.ts";
import type { Conflict } from "./sides.ts";

/**
 * vault.json that both sides changed: the owners that neither took out, the stricter audit policy, every link of either's
 * succession. It is signed by who resolves, an owner on both sides.
 */
export function mergeVaultRecords(session: OwnerSession, conflict: Conflict): VaultRecord {
  const { base, ours, theirs } = conflict as { base?: VaultRecord; ours: VaultRecord; theirs: VaultRecord };
  // An owner may have a new key on their side, to which the way is followed as ever.
  const { current: keys, former } = session.vault.ownerKeys;
  const source = { from: "our side", keys, former };
  verifySides(
    VAULT_PATH,
    conflict,
    (side) => side.vault === session.vault.id && isSignedAlong(side as VaultRecord, source),
  );
  const owns = (of: VaultRecord) =>
    of.owners.some(({ verifyKey }) => verifyKey === session.signingKey.verifyKey);
  if (!owns(ours) || !owns(theirs)) {
    throw new VaultError(
      "wrong-key",
      "this key is no owner on one side of this merge: .vault/vault.json",
      "have an owner of both sides resolve it, or give the merge up: git merge --abort",
    );
  }
  const owners = mergeOwners(base, ours, theirs);
  requireDistinctNames(owners);
  const { vault: _, serial: __, signatures: ___, ...fields } = later(ours, theirs);
  const audit = [ours, theirs].some(({ policy }) => policy.audit === "required") ? "required" : "best-effort";
  const links = new Map([...ours.succession, ...theirs.succession].map((link) => [link.sig, link]));
  return session.sign<VaultRecord>(
    VAULT_PATH,
    {
      ...fields,
      owners,
      policy: { ...fields.policy, audit },
      succession: [...links.values()],
    },
    theirs.serial,
  );
}

/** Whether the two sides of vault.json list different owners. */
export function haveOtherOwners({ ours, theirs }: Conflict): boolean {
  const keys = (of: Conflict["ours"]) =>
    of.type === "vault"
      ? of.owners
          .map(({ verifyKey }) => verifyKey)
          .sort()
          .join()
      : "";
  return keys(ours) !== keys(theirs);
}

type Owners = VaultRecord["owners"];

function mergeOwners(base: VaultRecord | undefined, ours: VaultRecord, theirs: VaultRecord): Owners {
  const keys = (of: VaultRecord | undefined) => new Set(of?.owners.map(({ verifyKey }) => verifyKey));
  const [before, here, there] = [keys(base), keys(ours), keys(theirs)];
  const removed = new Set([...ownerKeys(ours).former, ...ownerKeys(theirs).former]);
  const all = [...ours.owners, ...theirs.owners.filter(({ verifyKey }) => !here.has(verifyKey))];
  return all.filter(({ verifyKey }) => {
    if (removed.has(verifyKey)) return false;
    return !before.has(verifyKey) || (here.has(verifyKey) && there.has(verifyKey));
  });
}

function requireDistinctNames(owners: Owners): void {
  const twice = owners.find(({ name }, at) => owners.findIndex((owner) => owner.name === name) !== at);
  if (twice === undefined) return;
  throw new VaultError(
    "exists",
    `both sides added an owner of this name: ${twice.name}`,
    "give the merge up (git merge --abort), remove one of the two (vault-run remove-owner), and merge again",
  );
}

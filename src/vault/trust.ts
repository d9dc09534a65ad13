import type { VerifyKey } from "../age/signing-key.ts";
import { verifySignature } from "../age/signing-key.ts";
import { VaultError } from "../vault-error.ts";
import { canonicalText } from "./canonical.ts";
import { formerOwner } from "./pins.ts";
import { findSigner, signedBytes } from "./record.ts";
import type { VaultRecord } from "./schema.ts";

// Who may sign a vault is never taken from the vault alone. Each source of trust (the pins in a key file, an owner's own
// key where its file pins none, VAULT_RUN_OWNER, what this machine has accepted before) names keys, and every source at
// hand must lead to a signer of vault.json: directly, or along `succession`, each link signed by the key before it. Links
// are followed forward only. A machine remembers the owners that it has accepted, and those among them who are none any
// more: a removed owner still holds a link that led to them, and can sign others, so from what the machine has accepted no
// way leads to or past them. Nor from a key file, past those whom it names as former ones; of later removals it cannot know,
// and its way may lead past one: from an owner's old key to the new one.

const LINK_PREFIX = "vault-run/succession/v1\0";

export interface TrustSource {
  /** Where the pin comes from, for messages: "the key file", "this machine's pins", … */
  readonly from: string;
  readonly keys: readonly VerifyKey[];
  /** Keys that no way from here may lead to or past, and that may be no owner's. */
  readonly former?: readonly VerifyKey[];
}

type Link = VaultRecord["succession"][number];

/** The bytes that the key `from` signs to name `to` its successor. */
export function linkBytes(vault: string, link: Omit<Link, "sig">): Buffer {
  return Buffer.from(LINK_PREFIX + canonicalText({ vault, from: link.from, to: link.to, at: link.at }));
}

/**
 * Checks that vault.json is signed by an owner it lists and that each source leads to such a signer.
 *
 * @returns the verify keys that may sign the vault's other records: the owners.
 */
export function verifyVaultRecord(
  record: VaultRecord,
  sources: readonly TrustSource[],
): ReadonlySet<VerifyKey> {
  if (sources.length === 0) throw new TypeError("a vault cannot be trusted without a pin");
  requireDistinct(record.owners.map((owner) => owner.name));
  requireDistinct(record.owners.map((owner) => owner.verifyKey));
  requireDistinct(record.owners.map((owner) => owner.recipient));
  const owners = new Set(record.owners.map((owner) => owner.verifyKey));
  if (sources.some(({ former }) => former?.some((key) => owners.has(key)))) throw formerOwner();
  const involved = involvedIn(record);
  const message = signedBytes(record);
  const signed = new Set<string>();
  for (const source of sources) {
    const trusted = intersection(reachable(source, record), owners);
    // Most sources lead to the same keys: then one check is as good as two.
    const keys = [...trusted].join();
    if (signed.has(keys)) continue;
    if (findSigner(record, message, trusted, involved) !== undefined) {
      signed.add(keys);
      continue;
    }
    if (trusted.size === 0) {
      throw new VaultError(
        "untrusted",
        `the vault's owners are not those that ${source.from} pins: .vault/vault.json`,
        "someone replaced the owner key, or the key belongs to another vault; ask the owner which verify key is right",
      );
    }
    throw new VaultError(
      "record-signature",
      "no trusted owner signed this record: .vault/vault.json",
      "restore it from a commit that was good: git log -- .vault/vault.json",
    );
  }
  return owners;
}

/**
 * Whether an owner whom vault.json lists, and to whom the source leads, signed it: for one that is merged, whose other owners
 * may be none any more.
 */
export function isSignedAlong(record: VaultRecord, source: TrustSource): boolean {
  const owners = new Set(record.owners.map((owner) => owner.verifyKey));
  const trusted = intersection(reachable(source, record), owners);
  return findSigner(record, signedBytes(record), trusted, involvedIn(record)) !== undefined;
}

/** A vault whose owner changed is signed by the key before, too: it pleases those who pinned that one. */
function involvedIn({ owners, succession }: VaultRecord): ReadonlySet<VerifyKey> {
  return new Set([
    ...owners.map((owner) => owner.verifyKey),
    ...succession.flatMap((link) => [link.from, link.to]),
  ]);
}

function requireDistinct(texts: readonly string[]): void {
  if (new Set(texts).size === texts.length) return;
  throw new VaultError(
    "record-invalid",
    "not a valid record, an owner stands twice: .vault/vault.json",
    "restore it from a commit that was good: git log -- .vault/vault.json",
  );
}

function reachable({ keys, former = [] }: TrustSource, record: VaultRecord): Set<VerifyKey> {
  const found = new Set(keys);
  // A set grows while it is iterated, so a chain of links is followed to its end.
  for (const key of found) {
    for (const link of record.succession) {
      if (link.from !== key || found.has(link.to) || former.includes(link.to)) continue;
      if (verifySignature(key, linkBytes(record.vault, link), link.sig)) found.add(link.to);
    }
  }
  return found;
}

function intersection(keys: ReadonlySet<VerifyKey>, owners: ReadonlySet<VerifyKey>): Set<VerifyKey> {
  return new Set([...keys].filter((key) => owners.has(key)));
}

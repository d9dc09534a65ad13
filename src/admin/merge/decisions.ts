import { canonicalText } from "../../vault/canonical.ts";
import type { RecordPath } from "../../vault/paths.ts";
import type {
  AgentRecord,
  AgentTombstone,
  AllowRecord,
  GrantRecord,
  GrantTombstone,
  GroupRecord,
  SecretRecord,
  SecretTombstone,
  SignedRecord,
} from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import {
  type Decision,
  decideAgent,
  decideAllow,
  decideGrant,
  decideGroup,
  decideSecret,
  type Rivals,
  type Sides,
} from "./decide.ts";
import type { Conflict } from "./sides.ts";

/**
 * Refuses a side that no owner signed, or that is older than what both sides began from.
 *
 * @param isSigned whether an owner did.
 */
export function verifySides(
  path: RecordPath,
  { base, ours, theirs }: Conflict,
  isSigned: (side: SignedRecord) => boolean,
): void {
  for (const side of [ours, theirs]) {
    if (!isSigned(side)) {
      throw new VaultError(
        "record-signature",
        `no owner of this vault signed one side of this conflict: .vault/${path}`,
        "give the merge up (git merge --abort), and see who changed it: git log --all",
      );
    }
    if (base !== undefined && side.serial < base.serial) {
      throw new VaultError(
        "record-rollback",
        `one side of this conflict put back an older record: .vault/${path}`,
        "give the merge up (git merge --abort), and see who put it there: git log --all",
      );
    }
  }
}

/** What becomes of one conflict. */
export async function decide(
  path: RecordPath,
  { base, ours, theirs }: Conflict,
  chooseOlder: (rivals: Rivals) => Promise<boolean>,
): Promise<Decision<SignedRecord>> {
  // Signed again without a change, as an earlier merge leaves what it decided: the other side alone changed it.
  if (base !== undefined && saysTheSame(theirs, base)) return { record: ours };
  if (base !== undefined && saysTheSame(ours, base)) return { record: theirs };
  const sides = <R extends SignedRecord>() => ({ base, ours, theirs }) as Sides<R>;
  switch (kindOf(ours, theirs, path)) {
    case "secret":
      return decideSecret(sides<SecretRecord | SecretTombstone>(), chooseOlder);
    case "grant":
      return decideGrant(sides<GrantRecord | GrantTombstone>());
    case "agent":
      return decideAgent(sides<AgentRecord | AgentTombstone>());
    case "group":
      return decideGroup(sides<GroupRecord>());
    case "allow":
      return decideAllow(sides<AllowRecord>());
    default:
      throw new TypeError("vault.json is merged before the records");
  }
}

function saysTheSame(a: SignedRecord, b: SignedRecord): boolean {
  const content = ({ serial: _, signatures: __, ...fields }: SignedRecord) => canonicalText(fields);
  return content(a) === content(b);
}

/** Both stand at one path, which says what they are: decoding has checked it. */
function kindOf(ours: SignedRecord, theirs: SignedRecord, path: RecordPath): string {
  const [a, b] = [ours, theirs].map((record) => (record.type === "tombstone" ? record.of : record.type));
  if (a === undefined || a !== b) throw new TypeError(`two kinds of record at ${path}`);
  return a;
}

import { recipientOf } from "../../age/generate.ts";
import type { Identity } from "../../age/identity.ts";
import type { GroupName } from "../../vault/names.ts";
import { openGrant, openGroup, openSecret } from "../../vault/open-sealed.ts";
import { agentPath, grantPath, groupPath, type RecordPath, secretPath } from "../../vault/paths.ts";
import { contextError, sealedBytes } from "../../vault/payload.ts";
import type {
  GrantRecord,
  GroupRecord,
  OwnerExposure,
  SecretRecord,
  SignedRecord,
} from "../../vault/schema.ts";
import { VaultError } from "../../vault-error.ts";
import { agentIdentity } from "../escrow.ts";
import type { FormerOwners } from "../former-owners.ts";
import type { OwnerSession } from "../owner-session.ts";
import { type Finding, findingOf } from "./finding.ts";

// What only an owner's key can tell: whether every age file opens for whom it is meant. An agent's grants are opened with
// the identity from its escrow.

type Records = ReadonlyMap<RecordPath, SignedRecord>;

/** Opens everything that is sealed. Values are wiped at once. */
export async function checkSealed(
  records: Records,
  { identity, ownerRecipients }: OwnerSession,
  formerOwners: FormerOwners,
): Promise<Finding[]> {
  const owners = ownerRecipients.length;
  const findings: Finding[] = [];
  const attempt = async <T>(path: RecordPath, open: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      findings.push(findingOf(error, path));
      return undefined;
    }
  };
  const groups = new Map<GroupName, Identity>();
  for (const group of ofType(records, "group")) {
    const opened = await attempt(groupPath(group.name), () => openOwnGroup(group, identity));
    if (opened !== undefined) groups.set(group.name, opened);
    findings.push(...checkOwners(groupPath(group.name), group.sealed, owners, formerOwners(group)));
  }
  for (const secret of ofType(records, "secret")) {
    const key = keyOf(records, groups, secret);
    if (key !== undefined) await attempt(secretPath(secret.group, secret.name), () => tryValue(secret, key));
  }
  for (const agent of ofType(records, "agent")) {
    const path = agentPath(agent.name);
    const own = await attempt(path, () => agentIdentity(agent, identity));
    findings.push(...checkOwners(path, agent.escrow, owners, formerOwners(agent)));
    for (const grant of ofType(records, "grant").filter((of) => of.agent === agent.name)) {
      const key = keyOf(records, groups, grant);
      if (own !== undefined && key !== undefined)
        await attempt(grantPath(grant.agent, grant.group), () => openOwnGrant(grant, own, key));
    }
  }
  return findings;
}

function ofType<T extends "group" | "secret" | "agent" | "grant">(records: Records, type: T) {
  return [...records.values()].filter((record) => record.type === type) as Extract<
    SignedRecord,
    { type: T }
  >[];
}

/** The group's identity, where the record is of its epoch: another epoch is a finding of its own. */
function keyOf(
  records: Records,
  groups: ReadonlyMap<GroupName, Identity>,
  { group, epoch }: GrantRecord | SecretRecord,
): Identity | undefined {
  const record = records.get(groupPath(group));
  return record?.type === "group" && record.epoch === epoch ? groups.get(group) : undefined;
}

async function openOwnGroup(group: GroupRecord, owner: Identity): Promise<Identity> {
  const identity = await openGroup(group, owner);
  if ((await recipientOf(identity)) !== group.recipient) throw contextError(groupPath(group.name));
  return identity;
}

/** @throws {VaultError} where the agent cannot open it, or finds another identity in it than the group's. */
async function openOwnGrant(grant: GrantRecord, agent: Identity, group: Identity): Promise<void> {
  const found = await openGrant(grant, agent);
  if (found.reveal() !== group.reveal()) throw contextError(grantPath(grant.agent, grant.group));
}

async function tryValue(secret: SecretRecord, group: Identity): Promise<void> {
  (await openSecret(secret, group)).dispose();
}

/** An age file names no recipient that its reader could know; their number it shows, and who they were git's history. */
function checkOwners(
  path: RecordPath,
  sealed: string,
  owners: number,
  former: readonly OwnerExposure[],
): Finding[] {
  const stanzas = countStanzas(sealedBytes(sealed));
  if (stanzas === owners && former.length === 0) return [];
  const what =
    stanzas === owners
      ? `sealed to ${former.map(({ owner }) => owner).join(" ")} by a key that is no owner's any more`
      : `sealed to ${stanzas} owners, and the vault has ${owners}`;
  return [
    {
      level: "error",
      kind: "sealed-owners",
      where: path,
      what: `${what}: .vault/${path}`,
      next: "two branches were merged that did not know of each other: vault-run resolve",
    },
  ];
}

export function countStanzas(file: Buffer): number {
  const header = file.subarray(0, Math.max(0, file.indexOf("\n---"))).toString("latin1");
  return header.split("\n").filter((line) => line.startsWith("-> ")).length;
}

import type { RecordPath } from "../../vault/paths.ts";
import type { AgentRecord, OwnerExposure, SecretRecord, SignedRecord } from "../../vault/schema.ts";
import { agentRecord, openEscrow } from "../escrow.ts";
import type { OwnerSession } from "../owner-session.ts";
import type { PlannedWrite, Progress } from "../plan.ts";
import { grantTombstone, later, replaceGroupKey } from "./group-key.ts";

export interface WithoutOwner {
  readonly writes: readonly PlannedWrite[];
  /** The values that the owner could have read: all of them. */
  readonly exposed: readonly SecretRecord[];
}

/**
 * Everything of a vault but vault.json again, without an owner's key. They could open every group and every escrow: so
 * every group gets a new key, and every value and every agent's record notes that they could have read it. They signed
 * what they wrote, which nobody trusts any more: so everything is signed again, down to the tombstones.
 *
 * @param next the session under the owners that remain.
 */
export async function withoutOwner(
  next: OwnerSession,
  owner: OwnerExposure,
  progress: Progress,
): Promise<WithoutOwner> {
  const writes: PlannedWrite[] = [];
  const exposed: SecretRecord[] = [];
  for (const [path, record] of next.vault.readAll()) {
    switch (record.type) {
      case "tombstone":
      case "allow":
        writes.push(signedAgain(next, path, record));
        break;
      case "agent":
        writes.push({ path, record: await exposedAgent(next, record, owner) });
        break;
      case "group": {
        const replaced = await replaceGroupKey(next, record.name, { owner }, progress);
        writes.push(...replaced.writes);
        exposed.push(...replaced.exposed);
        break;
      }
      case "grant":
        // A merge can leave a grant to an agent that was removed on the other side. The others come with their groups.
        if (next.vault.findAgent(record.agent)?.type !== "agent")
          writes.push(grantTombstone(next, record.agent, record.group));
        break;
    }
  }
  return { writes, exposed };
}

async function exposedAgent(
  next: OwnerSession,
  agent: AgentRecord,
  owner: OwnerExposure,
): Promise<AgentRecord> {
  const { type: _, vault: __, serial: ___, signatures: ____, escrow: _____, ...fields } = agent;
  const since = later(owner.since, agent.createdAt);
  const exposedTo = [...(agent.exposedTo ?? []), { ...owner, since }];
  return agentRecord(next, { ...fields, exposedTo }, await openEscrow(agent, next.identity));
}

function signedAgain(next: OwnerSession, path: RecordPath, record: SignedRecord): PlannedWrite {
  const { vault: _, serial: __, signatures: ___, ...fields } = record;
  return { path, record: next.sign<SignedRecord>(path, fields) };
}

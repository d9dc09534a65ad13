import type { OwnerSession } from "../../src/admin/owner-session.ts";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { grantRecord, groupRecord, secretRecord } from "../../src/admin/plans/group-key.ts";
import { generateIdentity, recipientOf } from "../../src/age/generate.ts";
import { SigningKey } from "../../src/age/signing-key.ts";
import { type GroupName, parseAgentName, parseGroupName, parseSecretName } from "../../src/vault/names.ts";
import { openGroup } from "../../src/vault/open-sealed.ts";
import { agentPath, grantPath, groupPath, secretPath } from "../../src/vault/paths.ts";
import type { AgentRecord, GrantRecord, GroupRecord, SecretRecord } from "../../src/vault/schema.ts";
import type { Bench } from "../redact/bench.ts";
import { makeTokens } from "../redact/secrets.ts";
import { launchFrom, makeFloors } from "./contenders.ts";
import { type CourseResult, measureCourses } from "./measure.ts";
import { commitAll, fill, makeVault } from "./vaults.ts";

// The same launch of the same 10 secrets, from a vault that holds nothing else and from one that holds much else.

export const BIG = { secrets: 10_000, agents: 1000, groups: 100 } as const;
const GRANTED = 10;
export const SMALL_VAULT = "small vault";
export const BIG_VAULT = "big vault";

export async function measureGrowth(bench: Bench, turns: number): Promise<CourseResult[]> {
  const small = makeVault(bench, "growth-small", "pq", makeTokens(GRANTED));
  const big = makeVault(bench, "growth-big", "pq", makeTokens(GRANTED));
  await makeBig(bench, big);
  const courses = [
    ...makeFloors(bench),
    ...launchFrom(bench, small, SMALL_VAULT),
    ...launchFrom(bench, big, BIG_VAULT),
  ];
  return measureCourses(courses, turns);
}

async function makeBig(bench: Bench, repo: string): Promise<void> {
  const groups = Array.from({ length: BIG.groups - 1 }, (_, i) => parseGroupName(`foreign-${i}`));
  await fill(bench, repo, async (session) => {
    const perGroup = Math.ceil((BIG.secrets - GRANTED) / groups.length);
    const writes: PlannedWrite[] = [];
    for (const [i, group] of groups.entries()) {
      const count = Math.min(perGroup, BIG.secrets - GRANTED - i * perGroup);
      writes.push(...(await foreignGroup(session, group, count)));
    }
    return writes;
  });
  await fill(bench, repo, (session) => foreignAgents(session, groups));
  commitAll(bench, repo);
}

/** Sealed once, because nothing opens it: each secret has a record of its own, signed as it should be, with that text. */
async function foreignGroup(session: OwnerSession, name: GroupName, count: number): Promise<PlannedWrite[]> {
  const identity = await generateIdentity(session.vault.suite);
  const createdAt = session.now;
  const group = await groupRecord(session, { name, epoch: 1, createdAt, policy: {} }, identity);
  const first = await secretRecord(
    session,
    group,
    parseSecretName("SECRET_0"),
    { valueId: session.newValueId(), setAt: createdAt, deliver: "env", exposedTo: [] },
    Buffer.from("a value that nobody opens"),
  );
  const secrets = Array.from({ length: count }, (_, i) => {
    const secretName = parseSecretName(`SECRET_${i}`);
    const path = secretPath(name, secretName);
    const own = { name: secretName, valueId: session.newValueId() };
    return { path, record: session.sign<SecretRecord>(path, { ...first, ...own }) };
  });
  return [{ path: groupPath(name), record: group }, ...secrets];
}

/** Each is granted a group of its own kind, and the launched agent's. What is sealed to them nobody opens either. */
async function foreignAgents(session: OwnerSession, groups: readonly GroupName[]): Promise<PlannedWrite[]> {
  const { plan } = await planAddAgent(session, parseAgentName("foreign-0"), undefined);
  const first = plan.writes[0]?.record as AgentRecord;
  const granted = [...groups, parseGroupName("group")].map((name) => session.vault.group(name));
  const grants = await Promise.all(granted.map((group) => grantTo(session, first, group)));
  const own = grants.at(-1);
  const writes: PlannedWrite[] = [];
  for (let i = 0; i < BIG.agents - 1; i++) {
    const agent = parseAgentName(`foreign-${i}`);
    const identity = await generateIdentity(session.vault.suite);
    const keys = { recipient: await recipientOf(identity), verifyKey: SigningKey.derive(identity).verifyKey };
    const path = agentPath(agent);
    writes.push({ path, record: session.sign<AgentRecord>(path, { ...first, ...keys, name: agent }) });
    for (const grant of [grants[i % groups.length], own]) {
      if (grant === undefined) continue;
      const at = grantPath(agent, grant.group);
      writes.push({ path: at, record: session.sign<GrantRecord>(at, { ...grant, agent }) });
    }
  }
  return writes;
}

async function grantTo(session: OwnerSession, agent: AgentRecord, group: GroupRecord): Promise<GrantRecord> {
  const identity = await openGroup(group, session.identity);
  return grantRecord(session, agent, group, identity, { grantedAt: session.now });
}

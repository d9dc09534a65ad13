import { applyPlan, prepareScratch, type Target } from "../../src/admin/apply.ts";
import { readBasis } from "../../src/admin/basis.ts";
import { afterwards, type Narrator } from "../../src/admin/operate.ts";
import { OwnerSession } from "../../src/admin/owner-session.ts";
import type { Plan } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planRevoke } from "../../src/admin/plans/revoke.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { Repository } from "../../src/git/repository.ts";
import type { Machine } from "../../src/vault/machine.ts";
import { type AgentName, parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { encodeRecord } from "../../src/vault/record.ts";
import type { SignedRecord } from "../../src/vault/schema.ts";
import { Secret } from "../../src/vault/secret.ts";
import type { Bench } from "../redact/bench.ts";
import { makeTokens, nameOf } from "../redact/secrets.ts";
import { median } from "../redact/statistics.ts";
import { AGENT, commitAll, fill, machineOf, makeVault, rootOf, VAULT_RUN } from "./vaults.ts";

// What an owner's changes take as a group and those who are granted it grow: the program's own work, in this process and
// without git, part by part; and the whole command, once, with the commit that it makes.

const TURNS = 3;
const SIZES = [
  { secrets: 10, agents: 2 },
  { secrets: 100, agents: 10 },
  { secrets: 1000, agents: 50 },
] as const;
const OPERATIONS = ["set", "revoke", "grant"] as const;
export type Operation = (typeof OPERATIONS)[number];

const GROUP = parseGroupName("group");
const SET = nameOf({ variable: "SECRET_0", value: "" });

export interface OwnerResult {
  readonly operation: Operation;
  readonly secrets: number;
  readonly agents: number;
  /** Verifying and sealing. */
  readonly planMs: number;
  /** Journal and files, all of them synced to the disk. */
  readonly applyMs: number;
  /** Pins and the audit log. */
  readonly pinMs: number;
  readonly ownMs: number;
  /** The process from its start to its end, git's work included. */
  readonly commandMs: number;
  readonly files: number;
  readonly ciphertextBytes: number;
  readonly fileBytes: number;
}

type Sample = Omit<OwnerResult, "operation" | "secrets" | "agents" | "commandMs">;

interface OwnerVault {
  readonly machine: Machine;
  readonly target: Target;
}

export async function measureOwner(bench: Bench): Promise<OwnerResult[]> {
  const results: OwnerResult[] = [];
  for (const { secrets, agents } of SIZES) {
    const repo = await makeGroup(bench, secrets, agents);
    const samples = await sampleInTurns(bench, repo);
    commitAll(bench, repo);
    for (const operation of OPERATIONS) {
      const commandMs = timeCommand(bench, repo, operation);
      results.push({ operation, secrets, agents, ...medians(samples[operation]), commandMs });
    }
  }
  return results;
}

async function makeGroup(bench: Bench, secrets: number, agents: number): Promise<string> {
  const [first, ...rest] = makeTokens(secrets);
  const repo = makeVault(bench, `owner-${secrets}`, "pq", first === undefined ? [] : [first]);
  const names = Array.from({ length: agents - 1 }, (_, i) => parseAgentName(`agent-${i}`));
  await fill(bench, repo, async (session) => {
    const plans = [];
    for (const secret of rest) plans.push(await planValue(session, nameOf(secret), secret.value));
    for (const name of names) plans.push((await planAddAgent(session, name, undefined)).plan);
    return plans.flatMap(({ writes }) => writes);
  });
  await fill(bench, repo, async (session) => {
    const plans = [];
    for (const name of names) plans.push(await planGrant(session, name, GROUP, undefined));
    return plans.flatMap(({ writes }) => writes);
  });
  commitAll(bench, repo);
  return repo;
}

/** In each turn a new value, and an agent that loses the group and gets it again. */
async function sampleInTurns(bench: Bench, repo: string): Promise<Record<Operation, Sample[]>> {
  const repository = await Repository.find(repo);
  const target = { root: rootOf(repo), repository, scratchFolder: prepareScratch(repository) };
  const vault = { machine: machineOf(bench, repo), target };
  const agent = parseAgentName(AGENT);
  const samples: Record<Operation, Sample[]> = { set: [], revoke: [], grant: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    for (const operation of OPERATIONS)
      samples[operation].push(
        await sample(vault, (session) => PLANNERS[operation](session, agent, `value of turn ${turn}`)),
      );
  }
  return samples;
}

const PLANNERS: Readonly<
  Record<Operation, (session: OwnerSession, agent: AgentName, value: string) => Promise<Plan>>
> = {
  set: (session, _, value) => planValue(session, SET, value),
  revoke: async (session, agent) => (await planRevoke(session, agent, GROUP, () => {})).plan,
  grant: (session, agent) => planGrant(session, agent, GROUP, undefined),
};

async function planValue(session: OwnerSession, ref: string, value: string): Promise<Plan> {
  const secret = new Secret(ref, Buffer.from(value));
  return (await planSet(session, parseSecretRef(ref), secret, { unsafeName: false })).plan;
}

/** As the verbs do it (src/admin/operate.ts), but for the lock and git. */
async function sample(
  { machine, target }: OwnerVault,
  makePlan: (session: OwnerSession) => Promise<Plan>,
): Promise<Sample> {
  const started = performance.now();
  const basis = await readBasis(target);
  const { watched } = basis;
  const session = await OwnerSession.open(machine, target.root, undefined, { watched });
  const plan = await makePlan(session);
  const planned = performance.now();
  const { vault, signingKey } = session;
  const options = { root: target.root, commit: false, doing: "bench" };
  let pinMs = 0;
  await applyPlan(plan, target, false, basis, async (token) => {
    const applied = performance.now();
    await afterwards(
      machine,
      vault.id,
      plan,
      token,
      signingKey,
      vault.seen,
      vault.ownerKeys,
      options,
      NARRATOR,
    );
    pinMs = performance.now() - applied;
  });
  const ended = performance.now();
  const records = plan.writes.map(({ record }) => record);
  return {
    planMs: planned - started,
    applyMs: ended - planned - pinMs,
    pinMs,
    ownMs: ended - started,
    files: records.length,
    ciphertextBytes: sum(records.map(ciphertextBytes)),
    fileBytes: sum(records.map((record) => encodeRecord(record).length)),
  };
}

const NARRATOR: Narrator = {
  note: (text) => {
    throw new Error(text);
  },
};

function timeCommand(bench: Bench, repo: string, operation: Operation): number {
  const words = {
    set: ["set", SET],
    revoke: ["revoke", AGENT, GROUP, "--yes"],
    grant: ["grant", AGENT, GROUP],
  }[operation];
  const started = performance.now();
  bench.run([VAULT_RUN, ...words], repo, operation === "set" ? "value of the command" : "");
  return performance.now() - started;
}

function ciphertextBytes(record: SignedRecord): number {
  const text = "sealed" in record ? record.sealed : "escrow" in record ? record.escrow : "";
  return Buffer.from(text, "base64").length;
}

function medians(samples: readonly Sample[]): Sample {
  const of = (key: keyof Sample) => median(samples.map((one) => one[key]));
  return {
    planMs: of("planMs"),
    applyMs: of("applyMs"),
    pinMs: of("pinMs"),
    ownMs: of("ownMs"),
    files: of("files"),
    ciphertextBytes: of("ciphertextBytes"),
    fileBytes: of("fileBytes"),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

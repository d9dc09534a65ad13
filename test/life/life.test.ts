import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { initVault } from "../../src/admin/init.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { newOwner, planAddOwner } from "../../src/admin/plans/add-owner.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planRekeyAgent } from "../../src/admin/plans/rekey-agent.ts";
import { planRemoveAgent } from "../../src/admin/plans/remove-agent.ts";
import { planRevoke } from "../../src/admin/plans/revoke.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { planUnset } from "../../src/admin/plans/unset.ts";
import { createKeyFile } from "../../src/vault/key-file.ts";
import { ownerKeyPath } from "../../src/vault/key-lookup.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { openGroup, openSecret } from "../../src/vault/open-sealed.ts";
import { Secret } from "../../src/vault/secret.ts";
import { VaultError } from "../../src/vault-error.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";
import { git } from "../fixtures/vault.ts";
import { Clone } from "./clone.ts";
import { Model, mergeModels } from "./model.ts";

// Two owners and an agent's host, a clone each, and a bare repository between them. A seeded script does what owners do, on
// branches too, and syncs now and then; someone who can push and holds no key gets in the way. What should come of it is
// known from a model that has no records in it (model.ts).

const STEPS = Number(process.env.LIFE_STEPS ?? 40);
const SEED = Number(process.env.LIFE_SEED ?? 20261124);
const GROUPS = ["db", "web", "mail"];
const NAMES = ["ONE", "TWO", "THREE", "FOUR"];
const AGENTS = ["ant", "bee", "cat", "dog"];
const progress = () => {};

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const next = random(SEED);
const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(next() * from.length)];
let clock = Date.UTC(2026, 10, 24);
const now = () => clock++;

/** An owner's clone with what its branch should hold, and what it held when it last met the others. */
interface Side {
  readonly clone: Clone;
  model: Model;
  base: Model;
}

type Operation = (side: Side) => Promise<void>;

const set: Operation = async ({ clone, model }) => {
  const ref = `${pick(GROUPS)}/${pick(NAMES)}`;
  const value = `value-${clock}`;
  await clone.change(
    async (session) =>
      (
        await planSet(session, parseSecretRef(ref), new Secret(ref, Buffer.from(value)), {
          unsafeName: false,
        })
      ).plan,
  );
  model.secrets.set(ref, { value, at: clock });
};

const unset: Operation = async ({ clone, model }) => {
  const ref = pick(model.names());
  if (ref === undefined) return;
  await clone.change(async (session) => planUnset(session, parseSecretRef(ref)));
  model.secrets.set(ref, { value: undefined, at: clock });
};

const addAgent: Operation = async ({ clone, model }) => {
  const name = pick(AGENTS.filter((agent) => !model.living().includes(agent)));
  if (name === undefined) return;
  let keyFile = "";
  await clone.change(async (session) => {
    const planned = await planAddAgent(session, parseAgentName(name), undefined);
    keyFile = planned.keyFile;
    return planned.plan;
  });
  model.agents.set(name, { keyFile, at: clock });
};

const rekey: Operation = async ({ clone, model }) => {
  const name = pick(model.living());
  if (name === undefined) return;
  let keyFile = "";
  await clone.change(async (session) => {
    const planned = await planRekeyAgent(session, parseAgentName(name), progress);
    keyFile = planned.keyFile;
    return planned.plan;
  });
  model.agents.set(name, { keyFile, at: clock });
  for (const [agent, group] of model.granted())
    if (agent === name) model.access.set(`${agent} ${group}`, { granted: true, at: clock });
};

const removeAgent: Operation = async ({ clone, model }) => {
  const name = pick(model.living());
  if (name === undefined) return;
  await clone.change(
    async (session) => (await planRemoveAgent(session, parseAgentName(name), progress)).plan,
  );
  for (const [agent, group] of model.granted())
    if (agent === name) model.access.set(`${agent} ${group}`, { granted: false, at: clock });
  model.agents.set(name, { keyFile: undefined, at: clock });
};

const grant: Operation = async ({ clone, model }) => {
  const [agent, group] = [pick(model.living()), pick(model.groups())];
  if (agent === undefined || group === undefined) return;
  await clone.change((session) =>
    planGrant(session, parseAgentName(agent), parseGroupName(group), undefined),
  );
  model.access.set(`${agent} ${group}`, { granted: true, at: clock });
};

const revoke: Operation = async ({ clone, model }) => {
  const found = pick(model.granted());
  if (found === undefined) return;
  const [agent, group] = found;
  await clone.change(
    async (session) =>
      (await planRevoke(session, parseAgentName(agent), parseGroupName(group), progress)).plan,
  );
  model.access.set(`${agent} ${group}`, { granted: false, at: clock });
  // Every other grant of the group was sealed again.
  for (const [other, of] of model.granted())
    if (of === group) model.access.set(`${other} ${group}`, { granted: true, at: clock });
};

const OPERATIONS: readonly Operation[] = [
  set,
  set,
  set,
  set,
  unset,
  addAgent,
  grant,
  grant,
  revoke,
  rekey,
  removeAgent,
];

/** Some operations on a branch, one on the way back, and a plain git merge. */
const branch: Operation = async (side) => {
  const { clone } = side;
  const before = new Model(side.model);
  clone.git("switch", "--quiet", "--create", "work");
  for (let count = 1 + Math.floor(next() * 2); count > 0; count--) await attempt(side, pick(OPERATIONS)!);
  const theirs = side.model;
  clone.git("switch", "--quiet", "main");
  side.model = new Model(before);
  await attempt(side, pick(OPERATIONS)!);
  await clone.merge("work");
  side.model = mergeModels(before, side.model, theirs);
  clone.git("branch", "--quiet", "--delete", "work");
};

/** What was done on a branch that is not merged yet is not done over: that is refused, and changes nothing. */
async function attempt(side: Side, operation: Operation): Promise<void> {
  const before = side.clone.git("rev-parse", "HEAD");
  const model = new Model(side.model);
  try {
    await operation(side);
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== "record-rollback") throw error;
    expect(error.hint).toContain("merge that branch first");
    expect(side.clone.git("rev-parse", "HEAD")).toBe(before);
    side.model = model;
  }
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function begin() {
  const top = keptTempFolder();
  const bare = join(top, "shared.git");
  git(top, "init", "--quiet", "--bare", "--initial-branch=main", bare);
  const first = new Clone(bare, "ann", now);
  first.git("switch", "--quiet", "--create", "main");
  const options = {
    root: first.root,
    commit: true,
    doing: "init",
    suite: "classic",
    audit: "required",
  } as const;
  const { vault } = await initVault(first.machine, { ...options, ownerName: "ann" }, { note: () => {} });
  let keyFile = "";
  await first.change(async (session) => {
    const made = await newOwner(session, "bob");
    keyFile = made.keyFile;
    return planAddOwner(session, made.owner, progress);
  });
  await first.sync();
  const second = new Clone(bare, "bob", now);
  createKeyFile(ownerKeyPath(second.machine, vault), keyFile);
  const host = new Clone(bare, "host", now);
  const attacker = new Clone(bare, "mallory", now);
  folders.push(top, ...[first, second, host, attacker].map(({ machine }) => machine.home));
  const side = (clone: Clone): Side => ({ clone, model: new Model(), base: new Model() });
  return { bare, sides: [side(first), side(second)] as const, host, attacker };
}

/** Both meet: what a sync should make of it. */
async function sync(side: Side, shared: { model: Model }): Promise<void> {
  await side.clone.sync();
  side.model = mergeModels(side.base, side.model, shared.model);
  side.base = new Model(side.model);
  shared.model = new Model(side.model);
}

/** Someone pushes what no owner signed: the next sync refuses it, and the clone stays as it was. */
async function plant(side: Side, attacker: Clone, bare: string): Promise<void> {
  attacker.git("fetch", "--quiet");
  attacker.git("reset", "--quiet", "--hard", "origin/main");
  const record = pick(recordsOf(attacker));
  if (record === undefined) return;
  const good = git(bare, "rev-parse", "main");
  spoil(attacker, record);
  attacker.git("commit", "--quiet", "--all", "--message", "sly");
  attacker.git("push", "--quiet", "origin", "HEAD:main");
  const before = side.clone.git("for-each-ref");
  await expect(side.clone.sync()).rejects.toMatchObject({ name: "VaultError" });
  expect(side.clone.git("for-each-ref")).toBe(before);
  expect(side.clone.git("status", "--porcelain")).toBe("");
  git(bare, "update-ref", "refs/heads/main", good);
  await plantHere(side.clone);
}

/** The same in a clone's own files: `check` names that record and no other. */
async function plantHere(clone: Clone): Promise<void> {
  const record = pick(recordsOf(clone));
  if (record === undefined) return;
  spoil(clone, record);
  expect((await clone.faults()).map((fault) => fault.split(" ")[1])).toEqual([
    record.slice(".vault/".length),
  ]);
  clone.git("checkout", "--quiet", "--", record);
}

function recordsOf(clone: Clone): string[] {
  return clone
    .git("ls-files", ".vault/groups/*/secrets/*")
    .split("\n")
    .filter((path) => path !== "");
}

function spoil(clone: Clone, record: string): void {
  const file = join(clone.machine.cwd, record);
  if (next() < 0.5) rmSync(file);
  else writeFileSync(file, readFileSync(file, "utf8").replace(/"serial": 1/, '"serial": 2'));
}

async function expectValues({ clone, model }: Side, reader: Clone): Promise<void> {
  const session = await import("../../src/admin/owner-session.ts").then(({ OwnerSession }) =>
    OwnerSession.open(clone.machine, clone.root, undefined),
  );
  const seen: Record<string, string> = {};
  for (const group of session.vault.groups()) {
    const identity = await openGroup(group, session.identity);
    for (const secret of session.vault.secrets(group.name))
      seen[`${group.name}/${secret.name}`] = (await openSecret(secret, identity)).reveal();
  }
  const should = Object.fromEntries(model.names().map((name) => [name, model.secrets.get(name)!.value]));
  expect(seen).toEqual(should);
  for (const agent of model.living()) {
    const { keyFile } = model.agents.get(agent)!;
    for (const name of model.names()) {
      const read = await reader.read(keyFile!, name);
      expect([agent, name, read]).toEqual([
        agent,
        name,
        model.mayRead(agent, name.split("/")[0]!) ? should[name] : "not-granted",
      ]);
    }
  }
}

describe(`a life of ${STEPS} random operations on three clones (seed ${SEED})`, () => {
  it("keeps every vault clean and every value as the script has it (promises 5, 6, 7, 8)", {
    timeout: 900_000,
  }, async () => {
    const { bare, sides, host, attacker } = await begin();
    const shared = { model: new Model() };
    const keys = new Map<string, string>();
    await sync(sides[0], shared);
    await sync(sides[1], shared);
    for (let step = 1; step <= STEPS; step++) {
      const side = pick(sides)!;
      const dice = next();
      if (dice < 0.12) await branch(side);
      else if (dice < 0.32) await sync(side, shared);
      else if (dice < 0.36) await plant(side, attacker, bare);
      else await pick(OPERATIONS)!(side);
      for (const [name, { keyFile }] of side.model.agents) if (keyFile !== undefined) keys.set(keyFile, name);
      expect([step, await side.clone.faults()]).toEqual([step, []]);
    }
    for (const side of [sides[0], sides[1], sides[0]]) await sync(side, shared);
    const living = sides[0].model.living().map((name) => sides[0].model.agents.get(name)!.keyFile!);
    if (living[0] !== undefined) await host.sync(living[0]);
    else host.git("pull", "--quiet");
    expect(host.git("rev-parse", "HEAD")).toBe(git(bare, "rev-parse", "main"));
    for (const side of sides) await expectValues(side, host);
    for (const keyFile of keys.keys()) {
      if (living.includes(keyFile)) continue;
      for (const name of sides[0].model.names())
        expect(["wrong-key", "unknown-agent"]).toContain(await host.read(keyFile, name));
    }
  });
});

import { hash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { McpConnection } from "../fixtures/mcp.ts";
import { Program } from "../fixtures/program.ts";
import { tempFolder } from "../fixtures/temp.ts";
import { git } from "../fixtures/vault.ts";
import {
  type Answer,
  OWNER_DOORS,
  type OwnerDoor,
  REF,
  tryAsAgent,
  tryAsOwner,
  tryBriefly,
} from "./doors.ts";
import { Attacker, reach } from "./forgeries.ts";

// Where an attack happens: a bare repository that all share; the owner's machine, which has seen the vault; an agent's machine,
// which has its key file alone and has seen nothing; and somebody who may push.

export const VALUES = {
  [REF]: "sk_live_51HabcdefghijKLMNOP",
  "stripe/WEBHOOK": "whsec_9fKLMNOPqrstuvwxyz01",
  "test/API_KEY": "sk_test_77QRstuvWXyz012345",
} as const;

export const FORMER_VALUE = "sk_live_50formerABCDEfghij";

/** The crawler and one who stays may read `stripe`, who stays also `test`; the outsider nothing. */
export function vaultTemplate(): Promise<Program> {
  return Program.template(async (made) => {
    await made.must(["init", "--classic"]);
    for (const agent of ["crawler", "stays", "outsider"]) await made.must(["add-agent", agent]);
    // A version to go back to.
    await made.set(REF, FORMER_VALUE);
    for (const [ref, value] of Object.entries(VALUES)) await made.set(ref, value);
    await made.must(["grant", "crawler", "stripe"]);
    for (const group of ["stripe", "test"]) await made.must(["grant", "stays", group]);
    // Otherwise one of the doors is shut whatever happens.
    await made.must(["policy", "stripe", "--reveal", "--yes"]);
    // So that this machine has verified all of it before.
    await made.must(["check"]);
    await made.must(["get", REF, "--agent", "crawler"]);
  });
}

export interface Place {
  readonly remote: string;
  /** The owner's machine. It has the agents' keys, too. */
  readonly owner: Program;
  /** The crawler's, a container say: its key file and a clone. */
  readonly agent: Program;
  readonly attacker: Attacker;
}

export async function placeOf(template: Program): Promise<Place> {
  const owner = template.copy();
  const folder = tempFolder();
  const remote = join(folder, "shared.git");
  git(folder, "clone", "--quiet", "--bare", owner.repo, remote);
  owner.git("remote", "add", "origin", remote);
  owner.git("fetch", "--quiet");
  owner.git("branch", "--quiet", "--set-upstream-to=origin/main");
  const attacker = await Attacker.arrive(remote, join(folder, "mallory"));
  return { remote, owner, agent: freshMachine(owner, "crawler", remote), attacker };
}

/** A machine with an agent's key file and a clone, which has seen nothing yet. */
export function freshMachine(owner: Program, agent: string, remote: string): Program {
  const machine = Program.at(tempFolder());
  const path = keyPath(machine, agent, owner.vaultId);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  cpSync(keyPath(owner, agent), path);
  git(machine.home, "clone", "--quiet", remote, machine.repo);
  return machine;
}

export function keyPath(program: Program, agent: string, vault = program.vaultId): string {
  return join(program.home, ".config/vault-run", vault, `agents/${agent}.key`);
}

export function ownerKeyPath(program: Program): string {
  return join(program.home, ".config/vault-run", program.vaultId, "owner.key");
}

export interface Refusal {
  /** The code that every door tells that tells one. */
  readonly code: string;
  /** What every refusal says: the record's path, and what is wrong with it. */
  readonly says: RegExp;
  /** Whose doors are to be shut: by default the owner's and both machines' of the agent. */
  readonly to?: readonly ("agent" | "fresh agent" | "owner")[];
  /** Owner's doors that read nothing of what was forged, and do what they are for. */
  readonly open?: readonly OwnerDoor[];
  /** The agent's doors of which that holds. */
  readonly openToAgent?: RegExp;
  /** What `sync` says, where that is something else. */
  readonly syncSays?: RegExp;
  /** What the attacker could open before, by an agent's key say. */
  readonly known?: ReadonlySet<string>;
}

/**
 * After a push: `sync` takes none of it. Then git brings it to all clones, and every door is shut: no value comes out, nothing
 * is started, sealed, signed or pinned, and the log has nothing but refusals. What is open by right gives the attacker nothing.
 */
export async function expectRefused(place: Place, refusal: Refusal): Promise<void> {
  const { owner, agent, attacker } = place;
  const to = refusal.to ?? ["agent", "fresh agent", "owner"];
  await expectNotSynced(place, refusal);
  const session = await McpConnection.open(owner);
  for (const { repo } of [owner, agent]) git(repo, "pull", "--quiet", "--ff-only");
  if (to.includes("fresh agent")) await expectShut(agent, refusal, () => tryBriefly(agent));
  if (to.includes("agent")) await expectShut(owner, refusal, () => tryAsAgent(owner, session));
  if (to.includes("owner")) {
    const shut = OWNER_DOORS.filter((door) => refusal.open?.includes(door) !== true);
    await expectShut(owner, refusal, () => tryAsOwner(owner, shut));
  }
  const open = await tryAsOwner(owner, refusal.open ?? []);
  expect(open.filter(({ isOpen }) => !isOpen)).toEqual([]);
  expect(await reach(owner.repo, attacker.identity)).toEqual(refusal.known ?? new Set());
}

async function expectNotSynced({ owner }: Place, { says, syncSays = says }: Refusal): Promise<void> {
  const [head, tip, before] = [owner.git("rev-parse", "HEAD"), owner.git("ls-remote"), owner.snapshot()];
  const { status, stdout, stderr } = await owner.run(["sync"]);
  expect(status, stderr).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(syncSays);
  expect([owner.git("rev-parse", "HEAD"), owner.git("ls-remote"), owner.snapshot()]).toEqual([
    head,
    tip,
    before,
  ]);
}

/** Tries doors: repository, vault, keys and pins stay as they are to the byte, and the log gets nothing but refusals. */
async function expectShut(
  program: Program,
  { code, says, openToAgent = /^$/ }: Refusal,
  attempt: () => Promise<Answer[]>,
): Promise<void> {
  const [before, lines] = [stateOf(program), linesOf(program)];
  const answers = await attempt();
  const byRight = (answer: Answer) => openToAgent.test(answer.door);
  expect(answers.filter((answer) => answer.isOpen !== byRight(answer)).map(({ door }) => door)).toEqual([]);
  for (const answer of answers.filter(({ isOpen }) => !isOpen)) {
    if (answer.code !== undefined) expect(answer).toMatchObject({ code });
    expect(answer.said, answer.door).toMatch(says);
    for (const value of Object.values(VALUES)) expect(answer.said, answer.door).not.toContain(value);
  }
  if (answers.some(({ isOpen }) => isOpen)) {
    // What was read by right is pinned.
    expect(program.snapshot()).toBe(before.git);
    return;
  }
  expect(stateOf(program)).toEqual(before);
  const added = linesOf(program).slice(lines.length);
  expect(added.filter(({ action }) => action !== "denied")).toEqual([]);
}

/** Everything that a refusal may not change. */
export function stateOf(program: Program): Record<string, string> {
  const vault = filesIn(join(program.repo, ".vault"));
  const config = filesIn(join(program.home, ".config"));
  const state = filesIn(join(program.home, ".local/state"));
  const kept = Object.entries(state).filter(([path]) => !path.endsWith("audit.jsonl"));
  return { ...vault, ...config, ...Object.fromEntries(kept), git: program.snapshot() };
}

export function linesOf(program: Program): Record<string, unknown>[] {
  try {
    return program.auditLines();
  } catch {
    // Nothing was ever recorded there.
    return [];
  }
}

function filesIn(folder: string): Record<string, string> {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return {};
  }
  return Object.fromEntries(names.map((name) => [name, hash("sha256", readFileSync(name))]));
}

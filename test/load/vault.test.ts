import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { OwnerSession } from "../../src/admin/owner-session.ts";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { createKeyFile } from "../../src/vault/key-file.ts";
import { agentKeyPath } from "../../src/vault/key-lookup.ts";
import { type GroupName, parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { change, ownerMachine } from "../fixtures/owner.ts";
import { peakMemoryMb } from "../fixtures/process-state.ts";
import { Program } from "../fixtures/program.ts";
import { git } from "../fixtures/vault.ts";
import { SIZE } from "./size.ts";

// Most is what a change of every record holds: all of them, as they were and as they will be.
const MOST_MB = 1000;
const PER_GROUP = SIZE.secrets / SIZE.groups;
// They read or write no vault.
const ELSEWHERE = new Set(["completion", "keychain", "passphrase", "mcp", "redact"]);

let program: Program;
let remote: string;
const used = new Set<string>();
beforeAll(async () => {
  program = Program.lasting();
  await program.must(["init", "--yes"]);
  used.add("init");
  await fill();
  remote = join(program.home, "remote.git");
  git(program.home, "init", "--quiet", "--bare", remote);
  program.git("remote", "add", "origin", remote);
  program.git("push", "--quiet", "--set-upstream", "origin", "HEAD");
}, 3_600_000);

describe(`a vault of ${SIZE.secrets} secrets in ${SIZE.groups} groups and ${SIZE.agents} agents`, () => {
  it("is read by every verb that lists", { timeout: 3_600_000 }, async () => {
    expect(await json("list")).toMatchObject({ secrets: { length: SIZE.secrets } });
    expect(await json("agents")).toMatchObject({ agents: { length: SIZE.agents } });
    expect(await json("status")).toMatchObject({ groups: { length: SIZE.groups } });
    expect(await json("check")).toMatchObject({ opened: true });
    expect(await json("owners")).toMatchObject({ owners: { length: 1 } });
    expect(await json("policy", "group-1")).toMatchObject({ group: "group-1" });
    expect(await json("rotation")).toMatchObject({ rotate: [] });
    expect(await json("history", "group-1/S1")).toMatchObject({ versions: { length: 1 } });
    expect(await verb("get", "group-1/S1")).toBe("value-1-of-group-1");
    expect(await verb("export", "group-1", "--format", "dotenv")).toContain("value-2-of-group-1");
    await json("audit", "--totals");
    expect(await json("audit", "--could-read")).toMatchObject({ cut: false });
    await verb("report", "--html", join(program.home, "report.html"));
    expect(await json("scan", ".vault")).toMatchObject({ findings: [] });
    await json("allow");
    await verb("hook", "install");
  });

  it("is launched from by an agent of it, and read through no other group", {
    timeout: 600_000,
  }, async () => {
    const line = `test "$S1" = value-1-of-group-1 && env | grep -c '^S[0-9]'`;
    const agent = `agent-${1 + SIZE.groups}`;
    expect(await verb("--agent", agent, "--", "sh", "-c", line)).toBe(`${PER_GROUP}\n`);
  });

  it("is changed by every verb that changes, each in one commit", { timeout: 7_200_000 }, async () => {
    await changed(["set", "group-1/S1"], "another value");
    await changed(["unset", "group-1/S2"]);
    await changed(["import", "-", "--group", "group-1"], "NEW=imported-value");
    await changed(["rollback", "group-1/S1", "--to", "1"]);
    await changed(["add-agent", "late"]);
    await changed(["grant", "late", "group-1"]);
    await changed(["revoke", "late", "group-1"]);
    await changed(["policy", "group-2", "--reveal"]);
    await changed(["rekey", "agent-1", "--out", join(program.home, "agent-1.key")]);
    await changed(["remove-agent", "late"]);
    await verb("restore", "agent-2", "--out", join(program.home, "agent-2.key"));
    await changed(["add-owner", "second", "--out", join(program.home, "second.key")]);
    await changed(["remove-owner", "second"]);
    const keys = join(program.home, ".config/vault-run", program.vaultId);
    await changed(["rekey", "--owner", "--out", join(keys, "next.key")]);
    renameSync(join(keys, "next.key"), join(keys, "owner.key"));
    const worklist = await json("rotation", 1);
    expect((worklist.rotate as unknown[]).length).toBe(SIZE.secrets);
  });

  it("is merged and kept in step", { timeout: 3_600_000 }, async () => {
    await verb("sync");
    program.git("checkout", "--quiet", "-b", "other");
    await changed(["set", "group-1/S1"], "set on the other branch");
    program.git("checkout", "--quiet", "-");
    await changed(["set", "group-1/S1"], "set here");
    expect(() => program.git("merge", "--quiet", "other")).toThrow();
    await verb("resolve", "--yes");
    // By way of the program's own environment: the hook looks for vault-run.
    expect(await program.runAs(["git"], ["commit", "--quiet", "--no-edit"])).toMatchObject({ status: 0 });
    await verb("sync");
    await verb("audit", "push");
    await verb("audit", "fetch");
    expect(git(remote, "rev-parse", program.git("branch", "--show-current"))).toBe(
      program.git("rev-parse", "HEAD"),
    );
    expect(program.git("status", "--porcelain")).toBe("");
    expect(await json("list")).toMatchObject({ secrets: { length: SIZE.secrets } });
  });

  it("was used by every verb that reads or changes a vault", () => {
    const verbs = new Set(VERBS.map(({ name }) => name.split(" ")[0] ?? ""));
    expect([...verbs].filter((name) => !used.has(name) && !ELSEWHERE.has(name))).toEqual([]);
  });
});

/** Runs it to its end, which must be this status, within memory that does not follow the vault's size for long. */
async function verb(...args: string[]): Promise<string> {
  return (await measured(args, "", [0])).stdout;
}

async function json(name: string, ...rest: (string | number)[]): Promise<Record<string, unknown>> {
  const args = rest.filter((arg) => typeof arg === "string");
  return JSON.parse((await measured([name, ...args, "--json"], "", [0, 1])).stdout);
}

async function changed(args: string[], input = ""): Promise<void> {
  const head = program.git("rev-parse", "HEAD");
  await measured([...args, "--yes"], input, [0]);
  expect(program.git("rev-parse", "HEAD~1")).toBe(head);
  expect(program.git("status", "--porcelain")).toBe("");
}

async function measured(args: string[], input: string, statuses: number[]) {
  used.add(args[0] ?? "");
  const started = performance.now();
  const running = program.start(args, { input, maxBuffer: 1_000_000_000 });
  let peak = 0;
  let over = false;
  const ended = running.finally(() => {
    over = true;
  });
  while (!over) {
    peak = peakMemoryMb(running.pid ?? 0) ?? peak;
    await Promise.race([ended, setTimeout(20)]);
  }
  const { exitCode, stdout, stderr } = await ended;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (SIZE.isAll)
    process.stderr.write(`${args.slice(0, 2).join(" ")}: ${seconds} s, ${Math.round(peak)} MB\n`);
  expect(statuses, `${args.join(" ")}: ${stderr}`).toContain(exitCode);
  expect(peak).toBeLessThan(MOST_MB);
  return { stdout: String(stdout) };
}

/** Through the program's own plans: ten thousand starts of it would take half an hour. */
async function fill(): Promise<void> {
  const groups = Array.from({ length: SIZE.groups }, (_, i) => parseGroupName(`group-${i}`));
  const agents = Array.from({ length: SIZE.agents }, (_, i) => parseAgentName(`agent-${i}`));
  // A group is made with its first secret.
  await change(program, (session) => setAll(session, groups, 0, 1));
  await change(program, (session) => setAll(session, groups, 1, PER_GROUP));
  await change(program, async (session) => {
    const writes: PlannedWrite[] = [];
    for (const agent of agents) {
      const { plan, keyFile } = await planAddAgent(session, agent, undefined);
      createKeyFile(agentKeyPath(ownerMachine(program), session.vault.id, agent), keyFile);
      writes.push(...plan.writes);
    }
    return writes;
  });
  await change(program, async (session) => {
    const plans = agents.map((agent, i) =>
      planGrant(session, agent, parseGroupName(`group-${i % SIZE.groups}`), undefined),
    );
    return (await Promise.all(plans)).flatMap(({ writes }) => writes);
  });
  expect(readdirSync(join(program.repo, ".vault/groups"))).toHaveLength(SIZE.groups);
}

async function setAll(
  session: OwnerSession,
  groups: readonly GroupName[],
  from: number,
  to: number,
): Promise<PlannedWrite[]> {
  const writes: PlannedWrite[] = [];
  for (const group of groups) {
    for (let i = from; i < to; i++) {
      const value = new Secret("filled", Buffer.from(`value-${i}-of-${group}`));
      const { plan } = await planSet(session, parseSecretRef(`${group}/S${i}`), value, { unsafeName: false });
      writes.push(...plan.writes);
    }
  }
  return writes;
}

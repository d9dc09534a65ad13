import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { planGrant } from "../../src/admin/plans/grant.ts";
import { planSet } from "../../src/admin/plans/set.ts";
import { createKeyFile } from "../../src/vault/key-file.ts";
import { agentKeyPath } from "../../src/vault/key-lookup.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { Secret } from "../../src/vault/secret.ts";
import { change, ownerMachine } from "../fixtures/owner.ts";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const SECRETS = 1000;
const AGENTS = 50;

describe("a group of 1,000 secrets and 50 agents", () => {
  it("is granted by one file, and revoked in one commit with progress on the terminal", {
    timeout: 600_000,
  }, async () => {
    const program = Program.empty();
    await program.must(["init", "--classic"]);
    await program.set("big/FIRST", "the-first-value");
    await fill(program);

    await program.must(["add-agent", "late"]);
    await program.must(["grant", "late", "big"]);
    expect(program.git("show", "--format=", "--name-only", "HEAD").split("\n").length).toBeLessThanOrEqual(3);

    const head = program.git("rev-parse", "HEAD");
    const { shown, status } = await onTerminal(program, ["vault-run", "revoke", "agent-7", "big", "--yes"]);
    expect(status).toBe(0);
    expect(shown).toMatch(/sealing big again \d+\/1052 \(\d+ %\)/);
    expect(shown).toContain("revoked big from agent-7");
    expect(program.git("rev-parse", "HEAD~1")).toBe(head);
    expect(program.git("show", "--format=", "--name-only", "HEAD").split("\n")).toHaveLength(
      1 + AGENTS + 1 + SECRETS,
    );
    expect(program.git("status", "--porcelain")).toBe("");
    const rotate = JSON.parse((await program.run(["rotation", "--json"])).stdout).rotate;
    expect(rotate).toHaveLength(SECRETS);

    const launched = await program.run([
      "--agent",
      "agent-8",
      "--only",
      "big/S7",
      "--",
      "sh",
      "-c",
      'echo "${#S7}"',
    ]);
    expect(launched).toMatchObject({ status: 0, stdout: "10\n" });
    expect((await program.run(["--agent", "agent-7", "--", "true"])).status).toBe(125);
  });
});

/** Fills the group through the program's own plans: a thousand starts of the program would take minutes. */
async function fill(program: Program): Promise<void> {
  const agents = Array.from({ length: AGENTS }, (_, i) => parseAgentName(`agent-${i}`));
  await change(program, async (session) => {
    const writes: PlannedWrite[] = [];
    for (let i = 1; i < SECRETS; i++) {
      const value = new Secret("x", Buffer.from(`value-${i}-xxxx`.slice(0, 10).padEnd(10, "x")));
      const { plan } = await planSet(session, parseSecretRef(`big/S${i}`), value, { unsafeName: false });
      writes.push(...plan.writes);
    }
    for (const agent of agents) {
      const { plan, keyFile } = await planAddAgent(session, agent, undefined);
      createKeyFile(agentKeyPath(ownerMachine(program), session.vault.id, agent), keyFile);
      writes.push(...plan.writes);
    }
    return writes;
  });
  await change(program, async (session) => {
    const plans = agents.map((agent) => planGrant(session, agent, parseGroupName("big"), undefined));
    return (await Promise.all(plans)).flatMap(({ writes }) => writes);
  });
  expect(readdirSync(join(program.repo, ".vault/groups/big/secrets"))).toHaveLength(SECRETS);
}

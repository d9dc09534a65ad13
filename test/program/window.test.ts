import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { PlannedWrite } from "../../src/admin/plan.ts";
import { planAddAgent } from "../../src/admin/plans/add-agent.ts";
import { newGroup, planSet } from "../../src/admin/plans/set.ts";
import { parseAgentName, parseGroupName, parseSecretRef } from "../../src/vault/names.ts";
import { groupPath } from "../../src/vault/paths.ts";
import { Secret } from "../../src/vault/secret.ts";
import { change } from "../fixtures/owner.ts";
import { Program } from "../fixtures/program.ts";
import { onTerminal } from "../fixtures/terminal.ts";

const LONG = `what this is ${"and more of it ".repeat(20)}`.trim();
const template = await Program.template(async (made) => {
  await made.must(["init", "--classic"]);
  await change(made, async (session) => {
    const writes: PlannedWrite[] = [];
    for (let at = 1; at <= 30; at++)
      writes.push(...(await planAddAgent(session, parseAgentName(`agent-number-${at}`), LONG)).plan.writes);
    for (let at = 1; at <= 12; at++) {
      const name = parseGroupName(`a-group-named-${at}`);
      writes.push({ path: groupPath(name), record: await newGroup(session, name) });
    }
    return writes;
  });
  await change(made, async (session) => {
    const ref = parseSecretRef("a-group-named-1/API_KEY");
    const options = { unsafeName: false, description: LONG };
    return [
      ...(await planSet(session, ref, new Secret("x", Buffer.from("some-value")), options)).plan.writes,
    ];
  });
});

/** The lines that a window of 80 by 24 shows, without colour. */
async function linesOf(program: Program, ...verb: string[]): Promise<string[]> {
  const { shown } = await onTerminal(program, [
    "sh",
    "-c",
    `stty rows 24 cols 80; vault-run ${verb.join(" ")}`,
  ]);
  return stripVTControlCharacters(shown).split("\r\n");
}

describe("a window of 80 columns", () => {
  it("has the whole matrix of 30 agents and 12 groups in it, without a wrapped line", async () => {
    const program = template.copy();
    await program.must(["grant", "agent-number-30", "a-group-named-12"]);
    const lines = await linesOf(program, "status");
    const matrix = lines.slice(lines.findIndex((line) => line.startsWith("1 a-group-named-1")));
    expect(Math.max(...matrix.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(matrix.length).toBeLessThan(45);
    for (let at = 1; at <= 30; at++)
      expect(matrix.filter((line) => line.startsWith(`agent-number-${at} `))).toHaveLength(1);
    const heads = matrix.find((line) => line.startsWith("AGENT")) ?? "";
    const row = matrix.find((line) => line.startsWith("agent-number-30 ")) ?? "";
    // The last group but seven: groups stand in name order, in which 12 comes fourth.
    expect(row.indexOf("x")).toBe(heads.indexOf("4"));
  });

  it("cuts the last column of a table, and a pipe does not", async () => {
    const program = template.copy();
    for (const verb of ["agents", "list"]) {
      const lines = await linesOf(program, verb);
      expect(Math.max(...lines.map((line) => line.length)), verb).toBe(80);
      expect(lines.some((line) => line.endsWith("…"))).toBe(true);
      expect(await program.must([verb])).toContain(LONG);
    }
    expect(await program.must(["status"])).toContain("a-group-named-9 (0)");
  });

  it("breaks help between words, what is said of an option below itself", async () => {
    const lines = await linesOf(template.copy(), "--help");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const at = lines.findIndex((line) => line.startsWith("  --vault <DIR> "));
    expect(lines[at + 1]).toMatch(/^ {27}\S/);
    const piped = (await template.copy().must(["--help"])).split("\n");
    expect(Math.max(...piped.map((line) => line.length))).toBeGreaterThan(80);
  });

  it("gets no control sequence where its terminal knows none", async () => {
    const program = template.copy();
    const set = ["vault-run", "set", "a-group-named-1/TOKEN"];
    const dumb = await onTerminal(program, set, [["(not shown): ", "token-value\r"]], { TERM: "dumb" });
    expect(dumb).toMatchObject({ status: 0, untyped: 0 });
    expect(dumb.shown).not.toContain("\x1b");
    expect(await program.must(["get", "a-group-named-1/TOKEN"])).toBe("token-value");
    const env = Array.from({ length: 300 }, (_, at) => `NAME_${at}=value-${at}\n`).join("");
    const script = `printf '%s' "$ENTRIES" > .env; vault-run import .env --group big`;
    const long = await onTerminal(program, ["sh", "-c", script], [], { ENTRIES: env, TERM: "dumb" });
    expect(long.status).toBe(0);
    expect(long.shown).not.toContain("\x1b");
  });

  it("has an owner's verify key whole, and what a secret's versions are told apart by", async () => {
    const program = template.copy();
    const [owner] = JSON.parse(await program.must(["owners", "--json"])).owners;
    expect((await linesOf(program, "owners")).join("\n")).toContain(owner.verifyKey);
    const [head, ...versions] = await linesOf(program, "history", "a-group-named-1/API_KEY");
    expect(head).toMatch(/^N +COMMITTED .* WHAT +VALUE +SIGNED BY/);
    expect(versions[0]).toMatch(/^1 .* set +[0-9a-f]{8} \(current\) +owner/);
  });

  it("has the beginning of a long rotation list in status, and where the rest is", async () => {
    const program = template.copy();
    const names = Array.from({ length: 15 }, (_, at) => `NAME_${at}`);
    const env = names.map((name) => `${name}=value-of-${name}\n`).join("");
    await program.must(["import", "-", "--group", "big"], { input: env });
    await program.must(["grant", "agent-number-1", "big"]);
    await program.must(["revoke", "agent-number-1", "big"]);
    const lines = await linesOf(program, "status");
    expect(lines.filter((line) => line.startsWith("big/NAME_"))).toHaveLength(10);
    expect(lines).toContain("and 5 more: vault-run rotation");
    const piped = (await program.must(["status"])).split("\n");
    expect(piped.filter((line) => line.startsWith("big/NAME_"))).toHaveLength(15);
  });

  it("shows progress while much is sealed and written, and leaves none of it behind", async () => {
    const program = template.copy();
    const env = Array.from({ length: 1500 }, (_, at) => `NAME_${at}=value-${at}\n`).join("");
    const script = `stty rows 24 cols 60; printf '%s' "$ENTRIES" > .env; vault-run import .env --group big | cat`;
    const { shown } = await onTerminal(program, ["sh", "-c", script], [], { ENTRIES: env });
    const updates = shown.split("\r\u001b[K").filter((line) => line.startsWith("sealing "));
    expect(updates.length).toBeGreaterThan(1);
    expect(Math.max(...updates.map((line) => line.split("\u001b")[0]?.length ?? 0))).toBeLessThan(60);
    expect(shown).toMatch(/sealing \d+\/1500 \(\d+ %\)/);
    expect(shown).toMatch(/writing \d+\/1501 \(\d+ %\)/);
    expect(shown).toContain("\r\u001b[Kvault-run: imported 1500 secrets");
    expect(shown).not.toContain("value-7");
  });
});

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { AUDIT_ACTIONS } from "../../src/audit/actions.ts";
import { liveFleet } from "../fixtures/fleet-life.ts";
import { Program } from "../fixtures/program.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

// The questions, asked of the installed program on one host of a fleet, whose log alone is there. What all hosts' logs say
// is compared with what was counted in test/admin/audit.test.ts.

const folder = keptTempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { fleet, counted } = await liveFleet(folder, Date.now(), 300);
const lines = fleet.linesOf("laptop");
const parsed = lines.map((line) => JSON.parse(line));

let program: Program;
beforeEach(() => {
  program = Program.at(fleet.home("laptop")).copy();
});

async function ask(...words: string[]) {
  const { status, stdout, stderr } = await program.run(["audit", "--json", ...words]);
  expect(stderr).toBe("");
  return { status, ...JSON.parse(stdout) };
}

describe("audit", () => {
  it("lists every line as it was recorded, in the order of time, and says that all of them hold", async () => {
    const { status, lines: listed, logs, findings } = await ask();
    expect(status).toBe(0);
    expect(listed).toEqual(parsed.map((line) => ({ status: "verified", ...line })));
    expect(logs).toEqual([
      {
        name: program.auditLog,
        host: null,
        key: null,
        local: true,
        verified: lines.length,
        first: parsed[0].time,
        last: parsed.at(-1).time,
      },
    ]);
    expect(findings).toEqual({ counts: {}, named: [] });
    expect(await ask()).toMatchObject({ status: 0, lines: listed });
  });

  it("answers who pulled a secret, and what an agent pulled", async () => {
    const pulls = parsed.filter(({ action }) => ["launch", "get", "redact"].includes(action));
    const count = (agent: string | undefined, name: string) =>
      pulls.filter((line) => line.agent === agent && JSON.stringify(line.secrets).includes(`"${name}"`))
        .length;
    const { totals } = await ask("--secret", "web/API_TOKEN", "--totals");
    expect(totals).toMatchObject([
      {
        agent: "crawler",
        owner: null,
        group: "web",
        name: "API_TOKEN",
        pulls: count("crawler", "API_TOKEN"),
      },
      {
        agent: "deployer",
        owner: null,
        group: "web",
        name: "API_TOKEN",
        pulls: count("deployer", "API_TOKEN"),
      },
      { agent: null, owner: "ada", group: "web", name: "API_TOKEN", pulls: count(undefined, "API_TOKEN") },
    ]);
    const { lines: pulled } = await ask("--agent", "crawler", "--action", "pull");
    expect(pulled).toHaveLength(pulls.filter(({ agent }) => agent === "crawler").length);
    const table = await program.must(["audit", "--secret", "web/API_TOKEN", "--totals"]);
    expect(table).toMatch(
      /^WHO +PULLED +TIMES +FIRST \(UTC\) +LAST \(UTC\) +ON\ncrawler +web\/API_TOKEN +\d+ /,
    );
  });

  it("answers what could have been read, what nobody pulled, and what was masked", async () => {
    const { couldRead } = await ask("--could-read", "--agent", "deployer");
    expect(
      couldRead.map((row: { group: string; name: string }) => `deployer ${row.group}/${row.name}`),
    ).toEqual([...counted.access.keys()].filter((id) => id.startsWith("deployer")).sort());
    expect(couldRead.find((row: { name: string }) => row.name === "PASSWORD")).toMatchObject({ now: false });
    const shallow = join(program.home, "shallow");
    await execa("git", ["clone", "--quiet", "--depth=1", `file://${program.repo}`, shallow]);
    const cut = await program.run(["audit", "--could-read"], { cwd: shallow });
    expect(cut.stderr).toContain("this clone's history is cut");
    const { unpulled } = await ask("--unpulled", "90d");
    expect(unpulled).toMatchObject([
      { group: "ops", name: "NEVER", last: null },
      { group: "ops", name: "OLD_HOOK" },
    ]);
    const { leaks } = await ask("--leaks", "--until", "1m");
    const masked = parsed.flatMap((line) => line.leaks ?? []);
    const sum = (list: { count: number }[]) => list.reduce((total, { count }) => total + count, 0);
    expect(sum(leaks)).toBe(sum(masked));
    expect(sum(leaks)).toBeGreaterThan(0);
  });

  it("ends with 1 where a line does not hold, whatever was asked, and names it and no other", async () => {
    await ask();
    const kept = [...lines];
    kept[4] = kept[4]!.replace(/"time":"2/, '"time":"3');
    kept.splice(10, 1);
    writeFileSync(program.auditLog, `${kept.join("\n")}\n`);
    const { status, findings } = await ask("--totals", "--since", "2d");
    expect(status).toBe(1);
    expect(findings.counts).toEqual({ "bad-signature": 1, gap: 2 });
    expect(findings.named).toMatchObject([
      { kind: "bad-signature", log: program.auditLog, number: 5, host: "laptop" },
      { kind: "gap", number: 6 },
      { kind: "gap", number: 11, time: parsed[11].time },
    ]);
    const told = await program.run(["audit", "--leaks"]);
    expect(told.status).toBe(1);
    expect(told.stdout).toMatch(/changed: its signature does not hold +this machine +5 /);
    expect(told.stderr).toContain("3 findings about the lines: 1 bad-signature, 2 gap");
  });

  it("has a line say nothing of itself that is found by looking at it (A20)", async () => {
    const forged = { ...JSON.parse(lines[0]!), id: "f".repeat(32), status: "verified" };
    writeFileSync(program.auditLog, `${lines.join("\n")}\n${JSON.stringify(forged)}\n`);
    const told = await ask();
    expect(told.lines.find((line: { id: string }) => line.id === forged.id).status).toBe("bad-signature");
  });

  it("prints a long line once, and no other as long", async () => {
    const long = { ...JSON.parse(lines[0]!), id: "f".repeat(32), action: "x".repeat(1_000_000) };
    writeFileSync(program.auditLog, `${JSON.stringify(long)}\n${lines.join("\n")}\n`);
    const { stdout } = await program.run(["audit"]);
    expect(stdout.length).toBeGreaterThan(1_000_000);
    expect(stdout.length).toBeLessThan(1_100_000);
  });

  it("may be asked for every action that the format names", async () => {
    const format = readFileSync(resolve(import.meta.dirname, "../../docs/FORMAT.md"), "utf8");
    const row = /^\| `action` \| required \| (.*) \|$/m.exec(format)?.[1] ?? "";
    const named = [...row.matchAll(/`([a-z-]+)`/g)].map((match) => match[1] ?? "");
    const actions = named.filter((word) => word !== "secrets");
    expect(new Set(actions)).toEqual(new Set(AUDIT_ACTIONS));
    for (const action of actions) await program.must(["audit", "--action", action]);
  });

  it("says what is asked wrongly, and leaves the log alone", async () => {
    const before = readFileSync(program.auditLog, "utf8");
    const refused = async (...words: string[]) => {
      const { status, stdout, stderr } = await program.run(["audit", ...words]);
      expect([status, stdout]).toEqual([2, ""]);
      return stderr;
    };
    expect(await refused("--totals", "--leaks")).toContain("--totals and --leaks are two questions");
    expect(await refused("--unpulled", "90d", "--since", "3d")).toContain("leave out --since and --until");
    expect(await refused("--since", "tomorrow")).toContain("use a span back from now");
    expect(await refused("--action", "lunch")).toContain("did you mean --action launch?");
    expect(await refused("--secret", "API_TOKEN")).toContain("write it as GROUP/NAME");
    expect(await refused("--key", "xyz")).toContain("fingerprint");
    const nobody = await program.run(["audit", "--agent", "crwler"]);
    expect([nobody.status, nobody.stdout]).toEqual([0, ""]);
    expect(nobody.stderr).toContain("no agent is or was called crwler");
    expect(readFileSync(program.auditLog, "utf8")).toBe(before);
  });
});

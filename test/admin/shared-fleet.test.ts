import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { auditAnswers } from "../../src/admin/audit/answers.ts";
import { openLogs } from "../../src/admin/audit/open-logs.ts";
import { fetchAuditLogs } from "../../src/admin/sharing/fetch.ts";
import { pushAuditLog } from "../../src/admin/sharing/push.ts";
import { HOSTS, type Host } from "../fixtures/fleet.ts";
import { liveFleet } from "../fixtures/fleet-life.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";
import { git } from "../fixtures/vault.ts";

// Three hosts, two agents, half a year, and one bare repository: what the owner's clone answers once the logs went through
// git is what a script counted that knows nothing of logs.

const folder = keptTempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { fleet, counted } = await liveFleet(folder, Date.parse("2026-11-20T00:00:00.000Z"));

const options = (host: Host, doing: string) => ({
  root: join(fleet.repo(host), ".vault"),
  remote: undefined,
  // Lines are all that a host has here: nothing was launched that would have pinned the vault.
  agent: host === "laptop" ? undefined : "crawler",
  doing,
});
const push = (host: Host) => pushAuditLog(fleet.machine(host), options(host, "audit push"), () => {});
const fetch = (host: Host) => fetchAuditLogs(fleet.machine(host), options(host, "audit fetch"), () => {});
const ask = async () => auditAnswers(await openLogs(fleet.machine("laptop"), await fleet.owner()));
const linesOnHost = (lines: readonly string[], host: Host) =>
  lines.filter((line) => line.includes(`"host":"${host}"`)).sort();

describe("the owner's clone", () => {
  it("has the lines of every host once they were pushed and fetched, byte for byte, and answers as if it had been there", async () => {
    for (const host of HOSTS) {
      const { refused, kept, logs } = await push(host);
      expect({ refused, kept: [...kept] }).toEqual({ refused: [], kept: [] });
      expect(logs.reduce((sum, { lines }) => sum + lines, 0)).toBe(counted.linesOn.get(host));
    }
    const fetched = await fetch("laptop");
    expect(fetched.findings).toEqual([]);
    expect(fetched.logs).toBe(2 * HOSTS.length + 1);
    const refs = git(
      fleet.repo("laptop"),
      "for-each-ref",
      "--format=%(refname)",
      "refs/vault-run/audit/",
    ).split("\n");
    for (const host of HOSTS) {
      const own = refs.filter((ref) => ref.endsWith(`/${host}`));
      const pushed = own.flatMap((ref) =>
        git(fleet.repo("laptop"), "cat-file", "blob", `${ref}:000000.jsonl`).split("\n"),
      );
      expect(pushed.sort()).toEqual(linesOnHost(fleet.linesOf(host), host));
    }
    const { totals, actions, findings } = await ask();
    expect(findings).toEqual({ counts: {}, named: [] });
    expect(new Map(actions.map(({ action, lines }) => [action, lines]))).toEqual(counted.actions);
    const found = totals.map(({ agent, owner, group, name, pulls, first, last, hosts }) => {
      return [
        `${agent ?? `owner ${owner}`} ${group}/${name}`,
        { count: pulls, first, last, hosts: new Set(hosts) },
      ] as const;
    });
    expect(new Map(found)).toEqual(counted.pulls);
  });

  it("shows what a host took out of its log afterwards: as an owner's host by name, as another by what it cannot push", async () => {
    for (const host of ["laptop", "web-1"] as const) {
      const lines = fleet.linesOf(host);
      const at = lines.findLastIndex((line) => line.includes('"agent":"crawler"'));
      const taken = JSON.parse(lines[at]!);
      writeFileSync(
        fleet.logPath(host),
        lines
          .toSpliced(at, 1)
          .map((line) => `${line}\n`)
          .join(""),
      );
      const { refused } = await push(host);
      expect(refused.map(({ message }) => message)).toEqual([
        expect.stringContaining(
          `the log here is not what was pushed of crawler on ${host}: 1 line, of ${taken.time.slice(0, 10)}`,
        ),
      ]);
      const { findings } = await ask();
      if (host === "laptop")
        expect(findings.named).toContainEqual(
          expect.objectContaining({ kind: "missing-here", time: taken.time }),
        );
      writeFileSync(fleet.logPath(host), lines.map((line) => `${line}\n`).join(""));
    }
    expect((await ask()).findings.counts).toEqual({});
    expect((await push("web-1")).refused).toEqual([]);
  });

  it("has a lost log put back from what was pushed, as docs/CLI.md says", async () => {
    const log = fleet.logPath("web-2");
    const before = fleet.linesOf("web-2");
    rmSync(log);
    await fleet.record("web-2", "crawler", { action: "get", agent: "crawler", secrets: [] });
    const [written] = fleet.linesOf("web-2");
    expect((await push("web-2")).refused).toHaveLength(2);
    const page = readFileSync(join(import.meta.dirname, "../../docs/CLI.md"), "utf8");
    const commands = /^ {4}for ref in[\s\S]*?^ {4}done[^\n]*$/m.exec(page)![0];
    const script = commands.replace("HOST", "web-2").replace("FOLDER", join(log, ".."));
    execaSync("sh", ["-c", script], { cwd: fleet.repo("web-2") });
    expect((await push("web-2")).refused).toEqual([]);
    await fetch("laptop");
    const refs = git(
      fleet.remote,
      "for-each-ref",
      "--format=%(refname)",
      "refs/vault-run/audit/*/web-2",
    ).split("\n");
    const pushed = refs.flatMap((ref) =>
      git(fleet.remote, "cat-file", "blob", `${ref}:000000.jsonl`).split("\n"),
    );
    expect(pushed.sort()).toEqual([...before, written].sort());
  });
});

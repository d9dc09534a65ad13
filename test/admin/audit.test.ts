import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { type Asked, auditAnswers } from "../../src/admin/audit/answers.ts";
import { couldRead } from "../../src/admin/audit/could-read.ts";
import type { LineFilter } from "../../src/admin/audit/filter.ts";
import { type OpenedLogs, openSources } from "../../src/admin/audit/open-logs.ts";
import { findUnpulled } from "../../src/admin/audit/unpulled.ts";
import type { VerifyKey } from "../../src/age/signing-key.ts";
import { type LogSource, localLog } from "../../src/audit/source.ts";
import { Repository } from "../../src/git/repository.ts";
import { keyFingerprint } from "../../src/vault/fingerprint.ts";
import { parseAgentName, parseSecretRef } from "../../src/vault/names.ts";
import { timestamp } from "../../src/vault/time.ts";
import { AGENTS, HOSTS, type Host, type Writer } from "../fixtures/fleet.ts";
import { liveFleet } from "../fixtures/fleet-life.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

// Three hosts, two agents, half a year: what the logs say is what a script counted that knows nothing of logs.

const folder = keptTempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { fleet, counted, secrets } = await liveFleet(folder, Date.parse("2026-11-20T00:00:00.000Z"));
const session = await fleet.owner();

/** What a writer pushed from a host. */
function pushed(host: Host, writer: Writer): LogSource {
  const key = keyFingerprint(fleet.verifyKey(writer) as VerifyKey);
  const kept = fleet.linesOf(host).filter((line) => JSON.parse(line).key === key);
  return {
    host,
    key,
    isLocal: false,
    name: `pushed ${host} ${writer}`,
    async *chunks() {
      yield Buffer.from(kept.map((line) => `${line}\n`).join(""));
    },
  };
}

function open(): Promise<OpenedLogs> {
  const { machine, logPath } = { machine: fleet.machine("laptop"), logPath: fleet.logPath("laptop") };
  const logs = [
    localLog(logPath.slice(0, logPath.lastIndexOf("/")), false),
    pushed("laptop", "owner"),
    ...HOSTS.flatMap((host) => AGENTS.map((agent) => pushed(host, agent))),
  ];
  return openSources(machine, session, logs);
}

const ask = async (asked: Asked = {}) => auditAnswers(await open(), asked);
const who = ({ agent, owner }: { agent: string | null; owner: string | null }) => agent ?? `owner ${owner}`;
const sorted = (entries: Iterable<readonly [string, unknown]>) =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

describe("the logs of three hosts", () => {
  it("hold, and say how often who pulled what, when first, when last and where", async () => {
    const { totals, days, actions, logs, findings } = await ask({ withDays: true });
    expect(findings).toEqual({ counts: {}, named: [] });
    expect(sorted(actions.map(({ action, lines }) => [action, lines]))).toEqual(sorted(counted.actions));
    const expected = [...counted.pulls].map(([id, { count, first, last, hosts }]) => {
      return [id, { pulls: count, first, last, hosts: [...hosts].sort() }] as const;
    });
    const found = totals.map(({ pulls, first, last, hosts, ...total }) => {
      return [`${who(total)} ${total.group}/${total.name}`, { pulls, first, last, hosts }] as const;
    });
    expect(sorted(found)).toEqual(sorted(expected));
    const perDay = days.map((total) => {
      return [`${who(total)} ${total.group}/${total.name} ${total.day}`, total.pulls] as const;
    });
    expect(sorted(perDay)).toEqual(sorted(counted.days));
    const all = logs.filter(({ local, host }) => local || host !== "laptop");
    expect(all.reduce((sum, { verified }) => sum + verified, 0)).toBe(counted.lines);
  });

  it("say what was masked in whose output, and who was refused why", async () => {
    const { leaks, denials } = await ask();
    const masked = leaks.map(({ group, name, stream, encoding, count, ...by }) => {
      return [`${who(by)} ${group}/${name} ${stream} ${encoding}`, count] as const;
    });
    expect(sorted(masked)).toEqual(sorted(counted.leaks));
    const refused = denials.map((total) => [`${who(total)} ${total.reason}`, total.count] as const);
    expect(sorted(refused)).toEqual(sorted(counted.denials));
  });

  it("say what an agent could have read, of which values, and what it did read", async () => {
    const repository = await Repository.find(fleet.repo("laptop"));
    const rows = await couldRead(repository, session.vault, await ask(), {}, fleet.nowMs);
    const found = rows.map((row) => {
      const { values, valuesRead, now, pulls } = row;
      return [`${row.agent} ${row.group}/${row.name}`, { values, valuesRead, now, pulls }] as const;
    });
    const expected = [...counted.access].map(([id, { values, read, now }]) => {
      const pulls = counted.pulls.get(id)?.count ?? 0;
      return [id, { values: values.size, valuesRead: read.size, now, pulls }] as const;
    });
    expect(sorted(found)).toEqual(sorted(expected));
    expect(rows.some(({ now }) => !now)).toBe(true);
    expect(rows.some(({ pulls }) => pulls === 0)).toBe(true);
  });

  it("say which secrets nobody pulled for some time", async () => {
    for (const daysBack of [1, 3, 30, 90, 170]) {
      const { totals } = await ask();
      const unpulled = findUnpulled(session.vault, totals, {}, daysBack * 86_400_000, fleet.nowMs);
      const before = timestamp(fleet.nowMs - daysBack * 86_400_000);
      const expected = secrets.filter((ref) => !counted.pulledAt.get(ref)?.some((at) => at >= before));
      expect(unpulled.map(({ group, name }) => `${group}/${name}`)).toEqual(expected.sort());
    }
  });

  it.each<[string, LineFilter, (line: { [field: string]: unknown }) => boolean]>([
    ["agent", { agent: parseAgentName("crawler") }, ({ agent }) => agent === "crawler"],
    ["host", { host: "web-1" }, ({ host }) => host === "web-1"],
    [
      "action",
      { actions: new Set(["get", "denied"]) },
      ({ action }) => action === "get" || action === "denied",
    ],
    [
      "key",
      { key: keyFingerprint(fleet.verifyKey("deployer") as VerifyKey).slice(0, 8) },
      ({ key }) => key === keyFingerprint(fleet.verifyKey("deployer") as VerifyKey),
    ],
    [
      "time",
      { since: timestamp(fleet.nowMs - 30 * 86_400_000), until: timestamp(fleet.nowMs - 20 * 86_400_000) },
      ({ time }) =>
        (time as string) >= timestamp(fleet.nowMs - 30 * 86_400_000) &&
        (time as string) < timestamp(fleet.nowMs - 20 * 86_400_000),
    ],
    ["group", { group: "db" as never }, (line) => /"(group":|secret":)"db["/]/.test(JSON.stringify(line))],
    [
      "secret",
      { secret: parseSecretRef("db/PASSWORD") },
      (line) => /"group":"db","name":"PASSWORD"|"secret":"db\/PASSWORD"/.test(JSON.stringify(line)),
    ],
  ])("are told by %s, each line once and in the order of time", async (_, filter, isMeant) => {
    const found: { [field: string]: unknown }[] = [];
    await ask({
      filter,
      tell: async (lines) => {
        found.push(...lines.map(({ line }) => line as never));
      },
    });
    const all = HOSTS.flatMap((host) => fleet.linesOf(host).map((line) => JSON.parse(line)));
    const expected = all.filter(isMeant);
    expect(expected.length).toBeGreaterThan(10);
    const idOf = ({ time, id }: { [field: string]: unknown }) => `${time} ${id}`;
    expect(found.map((line) => line.time)).toEqual(found.map((line) => line.time).sort());
    expect(found.map(idOf).sort()).toEqual(expected.map(idOf).sort());
  });
});

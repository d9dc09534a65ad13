import { describe, expect, it } from "vitest";
import { figuresOf } from "../../../src/report/page/figures.ts";
import { ALL } from "../../../src/report/page/filter.ts";
import { reportOf } from "../../fixtures/report-data.ts";

const agent = { key: "k", recipient: "r", createdAt: "2026-01-01T00:00:00.000Z", description: null };
const grantedAt = agent.createdAt;
const base = reportOf({});
const data = reportOf({
  status: {
    ...base.status,
    groups: [
      { name: "db", epoch: 1, secrets: 1 },
      { name: "web", epoch: 1, secrets: 1 },
    ],
    agents: [
      { name: "crawler", groups: ["db"] },
      { name: "deployer", groups: ["web"] },
    ],
    expiring: [
      { what: "db/PASSWORD", expiresAt: "2026-11-27T00:00:00.000Z", expired: true, renew: "vault-run set …" },
    ],
  },
  agents: [
    {
      ...agent,
      name: "crawler",
      grants: [{ group: "db", grantedAt, expiresAt: "2026-11-28T12:00:00.000Z" }],
    },
    {
      ...agent,
      name: "deployer",
      grants: [{ group: "web", grantedAt, expiresAt: "2027-11-28T12:00:00.000Z" }],
    },
  ],
  secrets: [
    {
      group: "db",
      name: "PASSWORD",
      variable: "PASSWORD",
      deliver: "env",
      valueId: "v",
      setAt: grantedAt,
      expiresAt: "2026-11-27T00:00:00.000Z",
      description: null,
      exposed: false,
    },
  ],
  audit: {
    ...base.audit,
    days: [
      { agent: "crawler", owner: null, group: "db", name: "PASSWORD", day: "2026-11-01", pulls: 2 },
      { agent: "crawler", owner: null, group: "web", name: "TOKEN", day: "2026-11-02", pulls: 3 },
      { agent: null, owner: "ada", group: "db", name: "PASSWORD", day: "2026-11-02", pulls: 1 },
    ],
    findings: { counts: { torn: 1500 }, named: [] },
  },
});

describe("the page's figures", () => {
  it("tell a grant that is past from one that is not, and a pull without a grant from both", () => {
    const { matrix } = figuresOf(data, ALL);
    const cells = matrix.map(({ agent: name, cells: own }) => [
      name,
      ...own.map(({ access, pulls }) => `${access} ${pulls}`),
    ]);
    expect(cells).toEqual([
      ["crawler", "expired 2", "none 3"],
      ["deployer", "none 0", "granted 0"],
    ]);
  });

  it("narrow with the filter, the matrix too", () => {
    const { matrix, pulls, groups } = figuresOf(data, {
      ...ALL,
      who: "crawler",
      until: "2026-11-01",
      group: "db",
    });
    expect(matrix.map(({ agent: name, cells }) => [name, cells.map((cell) => cell.pulls)])).toEqual([
      ["crawler", [2]],
    ]);
    expect(pulls.map(({ who, secret, pulls: count }) => [who, secret, count])).toEqual([
      ["crawler", "db/PASSWORD", 2],
    ]);
    expect(groups.map(({ name }) => name)).toEqual(["db"]);
  });

  it("name an owner as one", () => {
    expect(figuresOf(data, { ...ALL, who: "owner ada" }).pulls).toHaveLength(1);
  });

  it("have all that ends, the next first, and say of what is near what status says", () => {
    expect(figuresOf(data, ALL).expiries.map(({ what, state }) => `${what} ${state}`)).toEqual([
      "db/PASSWORD expired",
      "db for crawler later",
      "web for deployer later",
    ]);
  });

  it("count findings that are not named one by one", () => {
    expect(figuresOf(data, ALL).lineCount).toBe(1500);
    expect(figuresOf(data, { ...ALL, text: "torn" }).lineCount).toBe(0);
  });
});

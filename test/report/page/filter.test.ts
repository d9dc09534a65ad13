import { describe, expect, it } from "vitest";
import { type About, ALL, passes } from "../../../src/report/page/filter.ts";

const pull: About = {
  who: ["crawler"],
  groups: ["stripe"],
  from: "2026-11-20",
  words: ["crawler", "stripe/API_KEY"],
};

describe("the page's filter", () => {
  it("lets everything through until something is asked for", () => {
    expect(passes(ALL, pull)).toBe(true);
    expect(passes(ALL, { who: [], groups: [], words: [] })).toBe(true);
  });

  it.each([
    [{ who: "crawler" }, true],
    [{ who: "deployer" }, false],
    [{ group: "stripe" }, true],
    [{ group: "db" }, false],
    [{ text: "api_key" }, true],
    [{ text: "  KEY   crawl " }, true],
    [{ text: "key deployer" }, false],
    [{ since: "2026-11-20", until: "2026-11-20" }, true],
    [{ since: "2026-11-21" }, false],
    [{ until: "2026-11-19" }, false],
    [{ who: "crawler", group: "db" }, false],
  ])("takes every part of %o", (asked, isKept) => {
    expect(passes({ ...ALL, ...asked }, pull)).toBe(isKept);
  });

  it("keeps what reaches into the period, and what has no time", () => {
    const span = { ...pull, from: "2026-01-01T00:00:00.000Z", to: "2026-11-20T23:59:59.999Z" };
    expect(passes({ ...ALL, since: "2026-11-20" }, span)).toBe(true);
    expect(passes({ ...ALL, since: "2026-11-21" }, span)).toBe(false);
    expect(passes({ ...ALL, since: "2026-11-21" }, { who: [], groups: [], words: [] })).toBe(true);
  });
});

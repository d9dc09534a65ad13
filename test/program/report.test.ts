import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { Unpulled } from "../../src/admin/audit/unpulled.ts";
import type { AuditData, CheckData, ReportData, RotationData, StatusData } from "../../src/report/data.ts";
import { openChromium, openPage, violationsOn } from "../fixtures/browser.ts";
import { HOSTS } from "../fixtures/fleet.ts";
import { cellsOf, figuresOn, minute, numberOf, rowsOf, unfold } from "../fixtures/report-page.ts";
import { MARKUP, ReportedFleet } from "../fixtures/reported-fleet.ts";
import { keptTempFolder } from "../fixtures/temp-folder.ts";

// The report of a fleet's vault, in a browser, beside what the verbs say of the same vault.

const folder = keptTempFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const reported = await ReportedFleet.make(folder);
const file = join(folder, "report.html");
await reported.must(["report", "--html", file]);
const html = readFileSync(file, "utf8");
const url = pathToFileURL(file).href;
const browser = await openChromium();

const status = await reported.json<StatusData & Pick<RotationData, "rotate" | "rekey">>("status");
const { agents } = await reported.json<Pick<ReportData, "agents">>("agents");
const { secrets } = await reported.json<Pick<ReportData, "secrets">>("list");
const rotation = await reported.json<RotationData>("rotation");
const check = await reported.json<CheckData>("check");
const audit = await reported.json<AuditData>("audit", "--totals");
const { leaks } = await reported.json<AuditData>("audit", "--leaks");
const { couldRead } = await reported.json<AuditData>("audit", "--could-read");
const { unpulled } = await reported.json<{ unpulled: Unpulled[] }>("audit", "--unpulled", "90d");

const pullsIn = ({ totals }: AuditData) => total(totals.map(({ pulls }) => pulls));
const BACK = "getComputedStyle(document.body).backgroundColor";
/** Labels of one picture that share more than the pixels between their letters and their boxes. */
const OVERLAPS = `[...document.querySelectorAll("svg")].flatMap((picture) => {
  const labels = [...picture.querySelectorAll("text")].map((label) => [label.textContent, label.getBoundingClientRect()]);
  const shared = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  return labels.flatMap(([text, box], at) =>
    labels.slice(at + 1).flatMap(([other, second]) => (shared(box, second) ? text + " | " + other : [])));
})`;
const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
const sorted = (rows: readonly (readonly string[])[]) => rows.map((row) => row.join(" | ")).sort();
const who = ({ agent, owner }: { agent?: string | null; owner?: string | null }) => agent ?? `owner ${owner}`;
const ref = ({ group, name }: { group: string; name: string }) => `${group}/${name}`;

describe("the report's figures", () => {
  it("are those of the verbs", async () => {
    const { page } = await openPage(browser, url);
    const expected = {
      agents: agents.length,
      groups: status.groups.length,
      secrets: secrets.length,
      pulls: pullsIn(audit),
      rotate: rotation.rotate.length,
      expiring: status.expiring.length,
      masked: total(leaks.map(({ count }) => count)),
      refused: total(audit.denials.map(({ count }) => count)),
      lines: total(Object.values(audit.findings.counts)),
      errors: check.findings.filter(({ level }) => level === "error").length,
    };
    expect(await figuresOn(page)).toEqual(expected);
    expect(expected.pulls).toBe(total([...reported.counted.pulls.values()].map(({ count }) => count)));
    expect(new Set(audit.totals.flatMap(({ hosts }) => hosts))).toEqual(new Set(HOSTS));
    expect(audit.findings.counts).toEqual({ "bad-signature": 1, gap: 1, "missing-here": 1, torn: 1 });
    for (const [name, figure] of Object.entries(expected)) expect(figure, name).toBeGreaterThan(0);
  });

  it("are drawn from what the verbs print, word for word", () => {
    const block = /<script type="application\/json" id="data">(.*?)<\/script>/.exec(html)?.[1] ?? "";
    const data = JSON.parse(block) as ReportData;
    const { rotate, rekey, ...besides } = status;
    expect(data.status).toEqual(besides);
    expect([data.rotation, data.check]).toEqual([rotation, check]);
    expect([data.agents, data.secrets]).toEqual([agents, secrets]);
    const { days, leakEvents, couldRead: could, unpulled: none, leaks: masked, ...counts } = data.audit;
    expect(counts).toEqual(audit);
    expect([masked, could, none.secrets]).toEqual([leaks, couldRead, unpulled]);
  });

  it("stand in the tables beside the pictures, row for row", async () => {
    const { page } = await openPage(browser, url);
    const table = async (caption: string, ...columns: number[]) =>
      sorted((await rowsOf(page, caption)).map((cells) => columns.map((at) => cells[at] ?? "")));

    const pulls = new Map<string, number>();
    for (const [, name, secret, count] of await rowsOf(page, "Pulls by day"))
      pulls.set(`${name} ${secret}`, (pulls.get(`${name} ${secret}`) ?? 0) + numberOf(count));
    const pulled = audit.totals.map((of) => [`${who(of)} ${ref(of)}`, of.pulls] as const);
    expect(pulls).toEqual(new Map(pulled));

    const could = couldRead.map((of) => [
      of.agent,
      ref(of),
      minute(of.since ?? ""),
      of.now ? "yes" : "no",
      `${of.valuesRead} of ${of.values}`,
      of.pulls.toLocaleString("en"),
      of.last === null ? "never" : minute(of.last),
    ]);
    expect(await table("What each agent could read", 0, 1, 2, 3, 4, 5, 6)).toEqual(sorted(could));
    const idle = unpulled.map((of) => [ref(of), of.last === null ? "never" : minute(of.last)]);
    expect(await table("Secrets that nobody pulled", 0, 2)).toEqual(sorted(idle));

    const exposed = rotation.rotate.flatMap((secret) =>
      secret.readers.map((reader) => [
        ref(secret),
        who(reader),
        reader.key.slice(0, 16),
        minute(reader.since),
      ]),
    );
    expect(await table("Current values", 0, 2, 3, 4)).toEqual(sorted(exposed));

    const masked = leaks.map((of) => [who(of), ref(of), of.stream, of.encoding, String(of.count)]);
    expect(await table("What was masked", 0, 1, 2, 3, 4)).toEqual(sorted(masked));
    const events = (await rowsOf(page, "When it happened")).map((cells) => numberOf(cells[6]));
    expect(total(events)).toBe(total(leaks.map(({ count }) => count)));
    const refused = audit.denials.map((of) => [who(of), of.reason, String(of.count)]);
    expect(await table("Who was refused", 0, 1, 2)).toEqual(sorted(refused));

    const ends = (await rowsOf(page, "Values and grants that end")).filter(
      ([, , , state]) => state !== "later",
    );
    const near = status.expiring.map(({ expiresAt, what }) => [expiresAt.slice(0, 10), what]);
    expect(sorted(ends.map((cells) => cells.slice(0, 2)))).toEqual(sorted(near));
    const named = audit.findings.named.map(({ kind, number }) => [kind, number.toLocaleString("en")]);
    expect(await table("Lines of the audit logs", 0, 5)).toEqual(sorted(named));
    const found = check.findings.map(({ level, kind, what, next }) => [level, kind, what, next]);
    expect(await table("What check finds", 0, 1, 2, 3)).toEqual(sorted(found));
  });

  it("stand in the matrix of agents and groups", async () => {
    const { page } = await openPage(browser, url);
    const rows = await cellsOf(page.locator(".matrix tbody tr"));
    const expected = agents.map(({ name, description, grants }) => [
      `${name}${description ?? ""}`,
      ...status.groups.map(({ name: group }) => {
        const own = audit.totals.filter((of) => of.agent === name && of.group === group);
        return [grants.some((grant) => grant.group === group), total(own.map(({ pulls }) => pulls))];
      }),
    ]);
    const shown = rows.map(([name, ...cells]) => [
      name,
      ...cells.map((cell) => [cell.includes("✓"), numberOf(/pulls: ([\d,]+)/.exec(cell)?.[1] ?? "0")]),
    ]);
    expect(shown).toEqual(expected);
  });
});

describe("the report's page", () => {
  it("asks nobody for anything and complains of nothing, from a file or from a server", async () => {
    const server = createServer((_, response) => response.end(html));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const served = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      for (const from of [url, served]) {
        const { page, complaints, requests } = await openPage(browser, from);
        await page.locator("#theme").selectOption("dark");
        await page.locator("#filter-text").fill("crawler");
        await page.locator("#rows-by").selectOption("both");
        await page.locator("svg").first().hover();
        await page.locator("#rotation").scrollIntoViewIfNeeded();
        expect(requests.filter((request) => request !== `${served}favicon.ico`)).toEqual([from]);
        expect(complaints).toEqual([]);
      }
    } finally {
      server.close();
    }
  });

  it("shows as text whatever it is told, and runs none of it", async () => {
    const { page } = await openPage(browser, url);
    await unfold(page);
    const shown = (await page.locator("body").textContent()) ?? "";
    // A description, a stream, an encoding, a program, a reason, a host.
    expect(shown.split(MARKUP).length - 1).toBeGreaterThanOrEqual(6);
    expect(await page.locator("img, iframe, object, [onerror]").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(0);
    expect(await page.evaluate<boolean>("'ran' in window")).toBe(false);
  });

  it("lets nothing run or leave that got in all the same", async () => {
    const { page } = await openPage(browser, url);
    const attempts = {
      markup: "document.body.innerHTML = '<img src=x>'",
      script:
        "(() => { const s = document.createElement('script'); s.append('window.ran = 1'); document.body.append(s); })()",
      request: "fetch('http://127.0.0.1:9/')",
    };
    for (const [name, attempt] of Object.entries(attempts))
      await page
        .evaluate(attempt)
        .catch((error) => expect(String(error), name).toMatch(/TrustedHTML|Failed to fetch/));
    await page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/' }))");
    await page.evaluate("location.href = 'javascript:window.ran = 1'");
    await page.waitForTimeout(100);
    expect(await page.evaluate("window.ran")).toBeUndefined();
  });

  it("holds no value of a secret (promise 10)", async () => {
    for (const secret of secrets) {
      const value = await reported.must(["get", ref(secret)]);
      for (const form of [
        value,
        Buffer.from(value).toString("base64").slice(0, -4),
        encodeURIComponent(value),
      ])
        expect(html.includes(form), ref(secret)).toBe(false);
    }
  });

  it("narrows every figure, table and picture to what is asked for, and shows all again", async () => {
    const { page } = await openPage(browser, url);
    const before = await figuresOn(page);
    await page.getByLabel("Who", { exact: true }).selectOption("crawler");
    await page.getByLabel("Group", { exact: true }).selectOption("web");
    const after = await figuresOn(page);
    const asked = ["--totals", "--agent", "crawler", "--group", "web"];
    expect(after.pulls).toBe(pullsIn(await reported.json<AuditData>("audit", ...asked)));
    expect(after.pulls).toBeLessThan(before.pulls ?? 0);
    for (const [, name, secret] of await rowsOf(page, "Pulls by day")) {
      expect(name).toBe("crawler");
      expect(secret).toMatch(/^web\//);
    }
    const picture = await page.locator("#pulls svg").first().getAttribute("aria-label");
    expect(picture).toContain(`${after.pulls?.toLocaleString("en")} pulls`);
    await page.getByLabel("Search").fill("cookie");
    for (const [, , secret] of await rowsOf(page, "Pulls by day")) expect(secret).toBe("web/COOKIE_KEY");
    await page.getByRole("button", { name: "Show all" }).click();
    expect(await figuresOn(page)).toEqual(before);
  });

  it("narrows pulls to a period as audit does", async () => {
    const { page } = await openPage(browser, url);
    const [since, until] = [40, 20].map((days) =>
      new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10),
    );
    await page.getByLabel("From (UTC)").fill(since!);
    await page.getByLabel("To (UTC)").fill(until!);
    const end = new Date(Date.parse(until!) + 86_400_000).toISOString();
    const asked = ["--totals", "--since", since!, "--until", end];
    expect((await figuresOn(page)).pulls).toBe(pullsIn(await reported.json<AuditData>("audit", ...asked)));
  });

  it("is used by keyboard: a way past the head, sorting, and the focus stays", async () => {
    const { page } = await openPage(browser, url);
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Skip to the figures");
    await page.keyboard.press("Enter");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("summary");
    const table = page.locator("#could-read .table").first();
    const pulls = table.getByRole("columnheader", { name: "Pulls" });
    await pulls.getByRole("button").focus();
    await page.keyboard.press("Enter");
    expect(await pulls.getAttribute("aria-sort")).toBe("descending");
    expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Pulls");
    const counts = (await cellsOf(table.locator("tbody tr"))).map((cells) => numberOf(cells[5]));
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
  });

  it.each(["light", "dark"] as const)("is accessible, also on a phone: %s", async (colorScheme) => {
    for (const width of [1280, 360]) {
      const { page } = await openPage(browser, url, { colorScheme, viewport: { width, height: 800 } });
      await unfold(page);
      expect(await violationsOn(page)).toEqual([]);
    }
  });

  it("goes by the system's colours unless others are chosen", async () => {
    const { page } = await openPage(browser, url, { colorScheme: "dark" });
    const back = () => page.evaluate<string>(BACK);
    const dark = await back();
    await page.getByLabel("Colours").selectOption("light");
    const light = await back();
    expect(light).not.toBe(dark);
    await page.getByLabel("Colours").selectOption("");
    expect(await back()).toBe(dark);
  });

  it("fits a window of 360 pixels", async () => {
    const { page } = await openPage(browser, url, { viewport: { width: 360, height: 740 } });
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(360);
  });

  it.each([360, 1280])(
    "writes no label of a picture over another in a window of %i pixels",
    async (width) => {
      const { page } = await openPage(browser, url, { viewport: { width, height: 800 } });
      await unfold(page);
      expect(await page.evaluate<string[]>(OVERLAPS)).toEqual([]);
    },
  );

  it("can be printed, without what only a screen has a use for", async () => {
    const { page } = await openPage(browser, url, { colorScheme: "dark" });
    expect((await page.pdf({ format: "A4" })).subarray(0, 5).toString()).toBe("%PDF-");
    await page.emulateMedia({ media: "print" });
    expect(await page.getByRole("search").isVisible()).toBe(false);
    expect(await page.evaluate<string>(BACK)).toBe("rgb(255, 255, 255)");
    expect(await page.locator("#pulls svg").first().isVisible()).toBe(true);
  });
});

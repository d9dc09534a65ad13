import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { EXAMPLE_VALUE, recordSession } from "../../scripts/recording.ts";
import { sessionSvg } from "../../scripts/session-svg.ts";
import { openChromium, openPage } from "../fixtures/browser.ts";
import { Program } from "../fixtures/program.ts";
import { isIn } from "../fixtures/story.ts";

const file = resolve(import.meta.dirname, "../../docs/session.svg");
const committed = readFileSync(file, "utf8");
const browser = await openChromium();

describe("the session that the README shows", () => {
  it("is what the program prints today, and shows no value but where it was typed for all to see", async () => {
    const program = Program.empty();
    const exchanges = await recordSession(program);
    const svg = sessionSvg(exchanges);
    expect(svg, "npm run recording").toBe(committed);

    const value = await program.must(["get", "stripe/API_KEY"]);
    expect(value).toMatch(/^sk_live_52[0-9a-f]{16}$/);
    const seen = { status: 0, signal: undefined, stdout: svg, stderr: "" };
    expect(isIn(seen, value)).toBe(false);
    const untyped = { ...seen, stdout: svg.replaceAll(`printf '${EXAMPLE_VALUE}'`, "") };
    expect(isIn(untyped, EXAMPLE_VALUE)).toBe(false);
    expect(svg).not.toContain("AGE-SECRET-KEY");
    expect(svg).not.toContain(program.home);
    expect(svg).not.toContain(program.vaultId);
    expect(exchanges.flatMap(({ lines }) => lines).join()).not.toMatch(new RegExp(`\\b${hostname()}\\b`));
  });

  it("plays by itself: nothing runs in it, and nothing is loaded", async () => {
    expect(committed).not.toMatch(/<script|href|url\((?!#view\))|\son\w+=/);
    expect(committed.length).toBeLessThan(60_000);
    const { page, complaints, requests } = await openPage(browser, pathToFileURL(file).href);
    expect([complaints, requests]).toEqual([[], [pathToFileURL(file).href]]);
    const seconds = Number(/animation:([\d.]+)s/.exec(committed)?.[1]);
    expect(await seenAt(page, 0)).toEqual([]);
    const begun = await seenAt(page, 0.15 * seconds);
    expect(begun).toContain("$ vault-run init");
    expect(begun.join()).not.toContain("REDACTED");
    const last = await seenAt(page, seconds - 1);
    expect(last).toContain("agent: calling stripe with [REDACTED:stripe/API_KEY]");
    expect(last.at(-1)).toBe("$ ");
  });

  it("is its last picture where less motion is asked for", async () => {
    const { page } = await openPage(browser, pathToFileURL(file).href, { reducedMotion: "reduce" });
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
    const still = await seen(page);
    expect(still[0]).toMatch(/^\$ # a careless agent prints its key/);
    expect(still.at(-1)).toBe("$ ");
    const { page: playing } = await openPage(browser, pathToFileURL(file).href);
    const seconds = Number(/animation:([\d.]+)s/.exec(committed)?.[1]);
    expect(await seenAt(playing, seconds - 1)).toEqual(still);
  });

  it("has its words for those who do not see it", async () => {
    const { page } = await openPage(browser, pathToFileURL(file).href);
    expect(await page.title()).toBe("A session of vault-run in a terminal");
    const words = await page.evaluate<string>("document.querySelector('desc').textContent");
    expect(words).toContain("\n$ vault-run revoke crawler stripe\n");
    expect(words.split("\n")).toContain("agent: and in base64 [REDACTED:stripe/API_KEY]");
  });
});

/** What is seen at a moment of the film. */
async function seenAt(page: Page, seconds: number): Promise<string[]> {
  await page.evaluate(
    `for (const one of document.getAnimations()) { one.pause(); one.currentTime = ${1000 * seconds}; }`,
  );
  return seen(page);
}

/** The lines that are seen in the window, from the top. */
function seen(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const view = document.querySelector("clipPath rect");
    const top = view.y.baseVal.value;
    const bottom = top + view.height.baseVal.value;
    return [...document.querySelectorAll("text")]
      .filter((text) => getComputedStyle(text.parentNode).opacity === "1")
      .filter((text) => {
        const box = text.getBoundingClientRect();
        return box.top >= top && box.bottom <= bottom + 1;
      })
      .map((text) => text.textContent);
  })()`);
}

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { REPORT_HEAD, reportHtml } from "../../src/report/html.ts";
import { reportOf } from "../fixtures/report-data.ts";

const built = { script: 'document.title = "<p>";', style: "p { color: red }", notices: "terms" };
const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("a report's page", () => {
  const html = reportHtml(reportOf({}), built);

  it("begins as every report does", () => {
    expect(html.startsWith(REPORT_HEAD)).toBe(true);
  });

  it("runs its own script, takes its own style sheet, and may ask nobody for anything", () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1];
    expect(policy?.split("; ")).toEqual([
      "default-src 'none'",
      `script-src ${hash(built.script)}`,
      `style-src ${hash(built.style)}`,
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
    expect(html).toContain(`<script>${built.script}</script>`);
    expect(html).toContain(`<style>${built.style}</style>`);
  });

  it("holds its data in a block that nothing in it can end", () => {
    const evil = "</script><!--<script>alert(1)</script>";
    const withEvil = reportHtml(
      reportOf({ made: { at: evil, host: evil, version: evil, commit: evil } }),
      built,
    );
    const block = /<script type="application\/json" id="data">([^<]*)<\/script>\n<script>/.exec(
      withEvil,
    )?.[1];
    expect(JSON.parse(block ?? "").made.host).toBe(evil);
    expect(withEvil.split("</script>")).toHaveLength(3);
  });
});

import { readFileSync } from "node:fs";
import { type Plugin, rolldown } from "rolldown";
import type { BuiltPage } from "../src/report/html.ts";

/** Bundles what of the report runs in a browser. `notices` gives the terms of the packages in it, once it was bundled. */
export async function buildReportPage(plugins: readonly Plugin[], notices: () => string): Promise<BuiltPage> {
  const bundle = await rolldown({
    input: "src/report/page/main.ts",
    platform: "browser",
    plugins: [...plugins],
    transform: { target: "es2022" },
  });
  const { output } = await bundle.generate({
    format: "iife",
    minify: true,
    comments: false,
    codeSplitting: false,
  });
  const page = {
    script: output[0].code,
    style: readFileSync("src/report/page/page.css", "utf8"),
    notices: notices(),
  };
  if (/<\/(?:script|style)|<!--/i.test(page.script + page.style) || /--!?>/.test(page.notices))
    throw new Error("the report's page holds what would end a script, a style sheet or a comment");
  return page;
}

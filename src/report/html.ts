import { createHash } from "node:crypto";
import type { ReportData } from "./data.ts";

// One page that needs nothing else: its policy lets it run the one script and take the one style sheet that are in it, and
// ask nobody for anything. What it shows stands in a data block, which is never run.

/** What the build made of src/report/page. */
export interface BuiltPage {
  readonly script: string;
  readonly style: string;
  /** The terms of what is bundled into the script. */
  readonly notices: string;
}

/** How every report begins, and nothing else does. */
export const REPORT_HEAD = '<!doctype html>\n<html lang="en" data-made-by="vault-run report">\n';

export function reportHtml(data: ReportData, { script, style, notices }: BuiltPage): string {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  return `${REPORT_HEAD}<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>vault-run report</title>
<style>${style}</style>
</head>
<body>
<noscript>This report is drawn by the script that it holds. Allow it to run scripts; it asks the network for nothing.</noscript>
<script type="application/json" id="data">${inScript(JSON.stringify(data))}</script>
<script>${script}</script>
</body>
<!--
${notices}
-->
</html>
`;
}

/** JSON in which no end of a script and no beginning of a comment can stand. */
function inScript(json: string): string {
  return json.replaceAll("<", "\\u003c");
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

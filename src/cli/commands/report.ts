import { resolve } from "node:path";
import type { ReportData } from "../../report/data.ts";
import { reportHtml } from "../../report/html.ts";
import { stateFolder } from "../../vault/machine.ts";
import { makeFolder } from "../../vault/write-file.ts";
import { VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { withVault } from "../reader.ts";
import { openInBrowser } from "../report/browser.ts";
import { reportData } from "../report/data.ts";
import { requireReportPlace, writeReport } from "../report/file.ts";

/** One page of all that the listing verbs say, for a browser. What it finds is in it: the exit status says that it is there. */
export function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const html = context.text("html");
  const isOpened = context.has("open");
  if (html === undefined && !isOpened)
    throw new VaultError(
      "usage",
      "nowhere for the report to go",
      "name a file with --html FILE, or use --open",
    );
  if (html === "-" && isOpened)
    throw new VaultError("usage", "standard output cannot be opened", "name a file with --html FILE");
  return withVault(context, async (session) => {
    const folder = stateFolder(machine, session.vault.id);
    const path = html === undefined ? `${folder}/report.html` : resolve(machine.cwd, html);
    if (html !== "-") requireReportPlace(path);
    const data = await reportData(context, session);
    const { BUILT_PAGE } = await import("../../report/built-page.ts");
    const page = reportHtml(data, BUILT_PAGE);
    if (html === "-") {
      await new Promise((done) => console.streams.stdout.write(page, done));
      return DONE;
    }
    if (html === undefined) makeFolder(folder);
    writeReport(path, page);
    console.say(`wrote the report: ${path}`);
    sayAlarms(context, data);
    if (!isOpened || (await openInBrowser(path, machine.env))) return DONE;
    console.say("no browser could be opened from here");
    console.detail("open that file in one yourself");
    return REFUSED;
  });
}

/** What the reader should not miss. */
function sayAlarms({ console }: CommandContext, { rotation, audit, check }: ReportData): void {
  const lines = Object.values(audit.findings.counts).reduce((all, count) => all + count, 0);
  const errors = check.findings.filter(({ level, kind }) => level === "error" && kind !== "rotate");
  const alarms = [
    [rotation.rotate.length, "value to rotate", "values to rotate"],
    [rotation.rekey.length, "agent to rekey", "agents to rekey"],
    [lines, "finding in the audit logs", "findings in the audit logs"],
    [errors.length, "other error in the vault", "other errors in the vault"],
  ] as const;
  const said = alarms.flatMap(([count, one, many]) =>
    count === 0 ? [] : [`${count} ${count === 1 ? one : many}`],
  );
  if (said.length > 0) console.detail(`to look at first: ${said.join(", ")}`);
}

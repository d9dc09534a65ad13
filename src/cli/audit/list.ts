import { type AuditAnswers, auditAnswers } from "../../admin/audit/answers.ts";
import type { LineFilter } from "../../admin/audit/filter.ts";
import type { OpenedLogs } from "../../admin/audit/open-logs.ts";
import { jsonText } from "../console.ts";
import type { CommandContext } from "../context.ts";
import { readingOf } from "../progress.ts";
import { jsonOfLines, tableOfLines } from "./lines.ts";

/** The lines themselves, printed while they are read. */
export function listLines(
  context: CommandContext,
  logs: OpenedLogs,
  filter: LineFilter,
): Promise<AuditAnswers> {
  return context.has("json") ? listAsJson(context, logs, filter) : listAsTable(context, logs, filter);
}

async function listAsJson(
  context: CommandContext,
  opened: OpenedLogs,
  filter: LineFilter,
): Promise<AuditAnswers> {
  const { console } = context;
  const { tell, count } = jsonOfLines(context);
  console.printText('{\n  "lines": [');
  const answers = await auditAnswers(opened, { filter, tell });
  const { logs, findings } = answers;
  const rest = jsonText({ logs, findings }, 2).slice(2);
  console.printText(`${count() === 0 ? "" : "\n  "}],\n${rest}\n`);
  return answers;
}

async function listAsTable(
  context: CommandContext,
  opened: OpenedLogs,
  filter: LineFilter,
): Promise<AuditAnswers> {
  const { console, machine } = context;
  const { tell, count } = tableOfLines(context, opened.readers);
  const answers = await auditAnswers(opened, {
    filter,
    tell: (lines) => {
      console.clearProgress();
      return tell(lines);
    },
    progress: readingOf(console, machine.now),
  });
  console.clearProgress();
  if (count() === 0) {
    const isAll = Object.keys(filter).length === 0;
    console.say(isAll ? "nothing is recorded in the logs here yet" : "nothing is recorded that matches");
  }
  return answers;
}

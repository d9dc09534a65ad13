import { type AuditAnswers, auditAnswers } from "../../admin/audit/answers.ts";
import { couldRead } from "../../admin/audit/could-read.ts";
import type { LineFilter } from "../../admin/audit/filter.ts";
import { type OpenedLogs, openLogs } from "../../admin/audit/open-logs.ts";
import { findUnpulled } from "../../admin/audit/unpulled.ts";
import type { OwnerSession } from "../../admin/owner-session.ts";
import { Repository } from "../../git/repository.ts";
import type { Vault } from "../../vault/vault.ts";
import { printFindings } from "../audit/findings.ts";
import { listLines } from "../audit/list.ts";
import { parseFilter, parseQuestion, type Question } from "../audit/question.ts";
import { printCouldRead, printLeaks, printTotals, printUnpulled } from "../audit/tables.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { readingOf } from "../progress.ts";
import { withVault } from "../reader.ts";

/** Answers one question from all logs. Exit 1 where something is wrong with the lines, whatever was asked. */
export function run(context: CommandContext): Promise<number> {
  const question = parseQuestion(context);
  const filter = parseFilter(context);
  return withVault(context, async (session) => {
    const opened = await openLogs(context.machine, session);
    noteUnknownAgent(context, filter, opened);
    const answers =
      question === undefined
        ? await listLines(context, opened, filter)
        : await answer(context, session, opened, filter, question);
    if (!context.has("json")) await sayFindings(context, session.vault, opened, answers);
    return Object.keys(answers.findings.counts).length === 0 ? DONE : REFUSED;
  });
}

async function answer(
  context: CommandContext,
  { vault }: OwnerSession,
  opened: OpenedLogs,
  filter: LineFilter,
  question: Question,
): Promise<AuditAnswers> {
  const { console } = context;
  const answers = await auditAnswers(opened, { filter, progress: readingOf(console, context.machine.now) });
  console.clearProgress();
  const { logs, findings } = answers;
  const found = await findAnswer(context, vault, answers, filter, question);
  if (context.has("json")) console.printJson({ ...found.json, logs, findings });
  else found.print();
  return answers;
}

interface Answer {
  readonly json: object;
  readonly print: () => void;
}

async function findAnswer(
  { console, machine }: CommandContext,
  vault: Vault,
  answers: AuditAnswers,
  filter: LineFilter,
  question: Question,
): Promise<Answer> {
  const { totals, actions, denials, leaks } = answers;
  switch (question.about) {
    case "totals":
      return { json: { totals, denials, actions }, print: () => printTotals(console, answers) };
    case "leaks":
      return { json: { leaks }, print: () => printLeaks(console, answers) };
    case "could-read": {
      const repository = await Repository.find(vault.files.root);
      const rows = await couldRead(repository, vault, answers, filter, machine.now());
      const cut = await repository.isShallow();
      return { json: { couldRead: rows, cut }, print: () => printCouldRead(console, rows, cut) };
    }
    case "unpulled": {
      const rows = findUnpulled(vault, totals, filter, question.ageMs, machine.now());
      return { json: { unpulled: rows }, print: () => printUnpulled(console, rows, question.age) };
    }
  }
}

async function sayFindings(
  { console }: CommandContext,
  vault: Vault,
  { readers }: OpenedLogs,
  answers: AuditAnswers,
): Promise<void> {
  const { counts } = answers.findings;
  const isCut =
    counts["unknown-key"] !== undefined && (await (await Repository.find(vault.files.root)).isShallow());
  printFindings(console, answers, readers, isCut);
}

function noteUnknownAgent({ console }: CommandContext, { agent }: LineFilter, { readers }: OpenedLogs): void {
  if (agent === undefined || [...readers.values()].some((reader) => reader.agent === agent)) return;
  console.say(`no agent is or was called ${agent}, as far as this clone's history goes`);
}

import { auditAnswers } from "../../admin/audit/answers.ts";
import { couldRead } from "../../admin/audit/could-read.ts";
import { openLogs } from "../../admin/audit/open-logs.ts";
import { findUnpulled } from "../../admin/audit/unpulled.ts";
import { checkSession } from "../../admin/check/check.ts";
import { listAgents } from "../../admin/listings/agents.ts";
import { listSecrets } from "../../admin/listings/secrets.ts";
import type { OwnerSession } from "../../admin/owner-session.ts";
import { findHeadCommit } from "../../git/head.ts";
import { Repository } from "../../git/repository.ts";
import type { ReportData } from "../../report/data.ts";
import { timestamp } from "../../vault/time.ts";
import { SAID } from "../audit/findings.ts";
import type { CommandContext } from "../context.ts";
import { toRotate } from "../listings/check.ts";
import { listRotation } from "../listings/rotation.ts";
import { statusOf } from "../listings/status.ts";
import { readingOf } from "../progress.ts";
import { LeakEvents } from "./leak-events.ts";

const UNPULLED_DAYS = 90;
const DAY_MS = 86_400_000;

/** What the listing verbs say of a vault, at one moment. */
export async function reportData(
  { machine, console }: CommandContext,
  session: OwnerSession,
): Promise<ReportData> {
  const { vault } = session;
  const { root } = vault.files;
  const nowMs = machine.now();
  const repository = await Repository.find(root);
  const opened = await openLogs(machine, session);
  const events = new LeakEvents();
  const { reads, ...answers } = await auditAnswers(opened, {
    withDays: true,
    tell: async (lines) => events.add(lines),
    progress: readingOf(console, machine.now),
  });
  console.clearProgress();
  const { totals } = answers;
  const { VERSION } = await import("../version.ts");
  const { rotate, rekey, ...status } = statusOf(vault, nowMs);
  const all = vault.groups().flatMap(({ name }) => vault.secrets(name));
  const findings = await checkSession(machine, { vault, owner: session }, repository, root);
  return {
    made: {
      at: timestamp(nowMs),
      host: machine.host,
      version: VERSION,
      commit: findHeadCommit(root) ?? null,
    },
    status,
    agents: listAgents(vault),
    secrets: listSecrets(vault, all, nowMs),
    rotation: listRotation(rotate, rekey, reads, opened.names),
    check: { opened: true, findings: [...findings, ...toRotate(vault, nowMs)] },
    audit: {
      ...answers,
      leakEvents: events.list(),
      couldRead: await couldRead(repository, vault, { totals, reads }, {}, nowMs),
      unpulled: {
        days: UNPULLED_DAYS,
        secrets: findUnpulled(vault, totals, {}, UNPULLED_DAYS * DAY_MS, nowMs),
      },
    },
    findingWords: SAID,
  };
}

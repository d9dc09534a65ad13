import { auditAnswers } from "../../admin/audit/answers.ts";
import { openLogs } from "../../admin/audit/open-logs.ts";
import {
  type ExposedAgent,
  type ExposedReader,
  type ExposedSecret,
  findExposed,
  findExposedAgents,
  readerName,
} from "../../admin/exposed.ts";
import { type ValueRead, ValueReads } from "../../audit/value-reads.ts";
import { formatRef } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { sayExpiredGrants } from "../expired-grants.ts";
import { listRotation } from "../listings/rotation.ts";
import { readingOf } from "../progress.ts";
import { withVault } from "../reader.ts";
import { counted, minuteOf } from "../wording.ts";

/** What to rotate, and whether the logs say that it was read by who may have. Exit 1 where there is any. */
export function run(context: CommandContext): Promise<number> {
  return withVault(context, async (session) => {
    const { vault } = session;
    const rotate = findExposed(vault, context.machine.now());
    const rekey = findExposedAgents(vault);
    const opened = await openLogs(context.machine, session);
    const progress = readingOf(context.console, context.machine.now);
    const { reads } =
      rotate.length === 0 ? { reads: new ValueReads() } : await auditAnswers(opened, { progress });
    context.console.clearProgress();
    if (context.has("json")) {
      context.console.printJson(listRotation(rotate, rekey, reads, opened.names));
    } else {
      print(context, rotate, rekey, reads);
      if (rotate.length > 0)
        context.console.say(
          `READ is as far as the audit logs go that are here, where - is no proof that it was not read: ${shownLogs(opened.names)}`,
        );
    }
    sayExpiredGrants(context, vault);
    return rotate.length === 0 && rekey.length === 0 ? DONE : REFUSED;
  });
}

/** Of the logs that were pushed only how many there are. */
function shownLogs([first = "", ...rest]: readonly string[]): string {
  return rest.length === 0 ? first : `${first} and ${counted(rest.length, "pushed log")}`;
}

function print(
  { console }: CommandContext,
  rotate: readonly ExposedSecret[],
  rekey: readonly ExposedAgent[],
  reads: ValueReads,
): void {
  if (rotate.length === 0 && rekey.length === 0) {
    console.say("nothing to rotate: no current value was readable by anyone no longer authorised");
    return;
  }
  const agents = rekey.flatMap(({ agent, owners }) =>
    owners.map((owner) => [agent, readerName(owner), owner.key.slice(0, 16), minuteOf(owner.since)]),
  );
  if (agents.length > 0) console.table([["REKEY FIRST", "KEY OPEN TO", "KEY", "SINCE (UTC)"], ...agents]);
  if (agents.length > 0 && rotate.length > 0) console.print();
  const values = rotate.flatMap((secret) =>
    secret.readers.map((reader) => [
      formatRef(secret),
      readerName(reader),
      reader.key.slice(0, 16),
      minuteOf(reader.since),
      reasonOf(reader),
      readText(reads.find(reader.key, secret.valueId)?.first),
    ]),
  );
  if (values.length > 0)
    console.table([["ROTATE", "READABLE BY", "KEY", "SINCE (UTC)", "ACCESS", "READ"], ...values]);
}

function reasonOf({ grantExpired }: ExposedReader): string {
  return grantExpired === null ? "ended" : `grant expired on ${grantExpired.slice(0, 10)}`;
}

function readText(read: ValueRead | undefined): string {
  return read === undefined ? "-" : read.at.slice(0, 10);
}

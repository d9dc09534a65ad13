import type { Actor, AuditAnswers } from "../../admin/audit/answers.ts";
import type { CouldRead } from "../../admin/audit/could-read.ts";
import type { Unpulled } from "../../admin/audit/unpulled.ts";
import type { Console } from "../console.ts";
import { minuteOf } from "../wording.ts";

// Each answer as a table, or in words where there is nothing to show.

export function printTotals(console: Console, { totals, denials }: AuditAnswers): void {
  if (totals.length === 0) console.say("no pull was recorded that matches");
  else {
    const rows = totals.map((total) => [
      whoOf(total),
      refOf(total),
      String(total.pulls),
      minuteOf(total.first),
      minuteOf(total.last),
      total.hosts.join(" "),
    ]);
    console.table([["WHO", "PULLED", "TIMES", "FIRST (UTC)", "LAST (UTC)", "ON"], ...rows]);
  }
  if (denials.length === 0) return;
  const refused = denials.map((total) => [
    whoOf(total),
    total.reason,
    String(total.count),
    minuteOf(total.first),
    minuteOf(total.last),
  ]);
  if (totals.length > 0) console.print();
  console.table([["WHO", "REFUSED", "TIMES", "FIRST (UTC)", "LAST (UTC)"], ...refused]);
}

export function printLeaks(console: Console, { leaks }: AuditAnswers): void {
  if (leaks.length === 0) {
    console.say("nothing was masked in anyone's output that matches");
    return;
  }
  const rows = leaks.map((total) => [
    whoOf(total),
    refOf(total),
    total.stream,
    total.encoding,
    String(total.count),
    minuteOf(total.first),
    minuteOf(total.last),
  ]);
  console.table([["IN OUTPUT OF", "MASKED", "STREAM", "AS", "TIMES", "FIRST (UTC)", "LAST (UTC)"], ...rows]);
}

/** @param isCut whether git's history, which says who could, is cut off here. */
export function printCouldRead(console: Console, rows: readonly CouldRead[], isCut: boolean): void {
  if (isCut) {
    console.say("this clone's history is cut: more may have been readable than it shows");
    console.detail("get the rest with git fetch --unshallow");
  }
  if (rows.length === 0) {
    console.say("no agent could ever have read anything that matches");
    return;
  }
  console.table([
    ["AGENT", "SECRET", "SINCE (UTC)", "NOW", "READ", "TIMES", "FIRST (UTC)", "LAST (UTC)"],
    ...rows.map((row) => [
      row.agent,
      refOf(row),
      timeOf(row.since),
      row.now ? "yes" : "no",
      `${row.valuesRead} of ${row.values}`,
      row.pulls === 0 ? "never" : String(row.pulls),
      timeOf(row.first),
      timeOf(row.last),
    ]),
  ]);
  console.say(
    "READ is of the values that it could have read; NOW is whether it may read today's; never: no line that was found says so",
  );
}

export function printUnpulled(console: Console, rows: readonly Unpulled[], age: string): void {
  if (rows.length === 0) {
    console.say(`every secret was pulled within ${age}`);
    return;
  }
  const cells = rows.map((row) => [
    refOf(row),
    row.last === null ? "never" : minuteOf(row.last),
    minuteOf(row.setAt),
  ]);
  console.table([[`NOT PULLED FOR ${age}`, "LAST PULLED (UTC)", "SET (UTC)"], ...cells]);
}

function refOf({ group, name }: { readonly group: string; readonly name: string }): string {
  return `${group}/${name}`;
}

function whoOf({ agent, owner }: Actor): string {
  return agent ?? `owner ${owner}`;
}

function timeOf(time: string | null): string {
  return time === null ? "-" : minuteOf(time);
}

import type { Finding, FindingKind, Findings, LogRead } from "../../audit/finding.ts";
import type { Readers } from "../../audit/reader.ts";
import type { Console } from "../console.ts";
import { counted, secondOf } from "../wording.ts";
import { whoOf } from "./lines.ts";

// What is wrong with the lines, in words.

const MOST_SHOWN = 50;
const KEY_DIGITS = 8;

export const SAID: Readonly<Record<FindingKind, string>> = {
  torn: "torn: no whole line",
  "bad-signature": "changed: its signature does not hold",
  "unknown-key": "signed by nobody who is or was an owner or agent",
  "wrong-signer": "signed with a key that may not say this",
  repeated: "a copy of a line above",
  "other-vault": "of another vault",
  misplaced: "of another key or host than this log's",
  gap: "what it was written behind was changed or removed",
  "begun-anew": "the log was begun anew here: what stood before is gone",
  "out-of-order": "moved: what it was written behind stands below",
  "missing-here": "was pushed from here, and is missing in this machine's log",
};

/** @param isCut whether git's history, which has the former keys, is cut off here. */
export function printFindings(
  console: Console,
  { findings, logs }: { readonly findings: Findings; readonly logs: readonly LogRead[] },
  readers: Readers,
  isCut: boolean,
): void {
  const { counts, named } = findings;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total === 0) return;
  console.print();
  console.table([
    ["FINDING", "LOG", "LINE", "TIME (UTC)", "HOST", "WHO"],
    ...named.slice(0, MOST_SHOWN).map((finding) => row(finding, logs, readers)),
  ]);
  if (total > MOST_SHOWN)
    console.say(`and ${total - MOST_SHOWN} more; --json names up to a thousand of each kind`);
  const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  console.say(`${counted(total, "finding")} about the lines: ${kinds.join(", ")}`);
  console.detail("what does not verify counts for nothing above; what is missing may have been removed");
  if (counts["unknown-key"] !== undefined && isCut)
    console.detail("this clone's history is cut, and has not all former keys: git fetch --unshallow");
}

function row(
  { kind, log, number, time, host, agent, key }: Finding,
  logs: readonly LogRead[],
  readers: Readers,
): string[] {
  return [
    SAID[kind],
    logName(logs.find(({ name }) => name === log)),
    String(number),
    time === null ? "-" : secondOf(time),
    host ?? "-",
    key === null ? "-" : whoOf(key, agent, readers),
  ];
}

/** A pushed log by whose it is: names of refs are long. */
function logName(log: LogRead | undefined): string {
  if (log === undefined || log.local) return "this machine";
  return `pushed from ${log.host ?? "-"}, key ${log.key?.slice(0, KEY_DIGITS) ?? "-"}`;
}

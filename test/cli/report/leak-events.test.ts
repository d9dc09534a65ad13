import { describe, expect, it } from "vitest";
import type { AuditLine } from "../../../src/audit/event.ts";
import type { LineStatus } from "../../../src/audit/finding.ts";
import { JudgedLine, viewOf } from "../../../src/audit/line-view.ts";
import { LeakEvents, MOST_EVENTS } from "../../../src/cli/report/leak-events.ts";

const leak = { secret: "web/TOKEN", stream: "stdout", encoding: "raw", count: 1 };

function lineAt(at: number, more: object = {}): AuditLine {
  const time = new Date(Date.UTC(2026, 10, 28) + at).toISOString();
  const common = { v: 1, id: String(at), vault: "", key: "k", host: "web-1", uid: 0, sig: "" } as const;
  return { ...common, time, action: "leak", agent: "crawler", command: "node", leaks: [leak], ...more };
}

const read = (status: LineStatus, line: AuditLine) => new JudgedLine(status, viewOf(line));

describe("the events of a report in which something was masked", () => {
  it("are those of verified lines alone", () => {
    const events = new LeakEvents();
    events.add([
      read("verified", lineAt(1)),
      read("bad-signature", lineAt(2)),
      read("verified", lineAt(3, { action: "launch" })),
    ]);
    const { time } = lineAt(1);
    expect(events.list()).toEqual([
      { time, host: "web-1", agent: "crawler", key: "k", command: "node", leaks: [leak] },
    ]);
  });

  it("are the newest, in the order of time, however many come and in what order", () => {
    const events = new LeakEvents();
    for (let at = 0; at < 5 * MOST_EVENTS; at++)
      events.add([read("verified", lineAt((at * 7919) % (5 * MOST_EVENTS)))]);
    const times = events.list().map(({ time }) => time);
    expect(times).toEqual(Array.from({ length: MOST_EVENTS }, (_, at) => lineAt(4 * MOST_EVENTS + at).time));
  });

  it("bring nothing along that a line need not hold", () => {
    const events = new LeakEvents();
    const more = { leaks: [{ ...leak, value: "a value" }], note: "a value" };
    events.add([read("verified", lineAt(1, more))]);
    expect(JSON.stringify(events.list())).not.toContain("a value");
  });
});

import type { Finding, LogRead } from "../../../audit/finding.ts";
import type { ReportData } from "../../data.ts";
import { counted, el, minuteOf } from "../element.ts";
import type { CheckFinding, Figures } from "../figures.ts";
import { type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";

const ID = "findings";
const TITLE = "Findings";
export function findingsSection({ audit: { logs }, findingWords }: ReportData): Section {
  const left = el("p", { class: "left" });
  const lines = new Table<Finding>(
    {
      caption: "Lines of the audit logs that do not verify, and where lines are missing",
      empty: "Every line of the audit logs verifies, and none is missing.",
    },
    [
      { head: "Finding", text: ({ kind }) => kind },
      { head: "What it means", text: ({ kind }) => findingWords[kind] },
      { head: "Time (UTC), as it says", text: ({ time }) => (time === null ? "" : minuteOf(time)) },
      { head: "Host, as it says", text: ({ host }) => host ?? "" },
      {
        head: "Who, as it says",
        text: ({ agent, key }) => agent ?? (key === null ? "" : `key ${key.slice(0, 16)}`),
      },
      {
        head: "Line",
        text: ({ number }) => number.toLocaleString("en"),
        sort: ({ number }) => number,
        isNumber: true,
      },
      { head: "Log", text: ({ log }) => log },
    ],
  );
  const check = new Table<CheckFinding>(
    { caption: "What check finds in the vault", empty: "Nothing is wrong with the vault." },
    [
      {
        head: "Level",
        text: ({ level }) => level,
        show: ({ level }) => el("span", { class: `state ${level}` }, level),
      },
      { head: "Kind", text: ({ kind }) => kind },
      { head: "What", text: ({ what }) => what },
      { head: "Next step", text: ({ next }) => next },
    ],
  );
  const about =
    "What does not hold: in the audit logs, and in the vault itself. Of a line that does not verify nothing is to be believed.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(ID, TITLE, about, lines.element, left, check.element, logsRead(logs)),
    update: (figures: Figures) => {
      lines.update(figures.lines);
      const more = figures.lineCount - figures.lines.length;
      left.textContent =
        more > 0 ? `and ${counted(more, "more finding")} of these kinds: vault-run audit lists them` : "";
      check.update(figures.check);
    },
  };
}

function logsRead(logs: readonly LogRead[]): HTMLElement {
  const table = new Table<LogRead>({ caption: "The logs that were read", empty: "No log was read." }, [
    { head: "Log", text: ({ name }) => name },
    { head: "Host", text: ({ host, local }) => host ?? (local ? "this machine" : "") },
    {
      head: "Verified lines",
      text: ({ verified }) => verified.toLocaleString("en"),
      sort: ({ verified }) => verified,
      isNumber: true,
    },
    { head: "First (UTC)", text: ({ first }) => (first === null ? "" : minuteOf(first)) },
    { head: "Last (UTC)", text: ({ last }) => (last === null ? "" : minuteOf(last)) },
  ]);
  table.update(logs);
  return table.element;
}

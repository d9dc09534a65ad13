import { minuteOf } from "../element.ts";
import type { Denial, Figures } from "../figures.ts";
import { type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";

const ID = "refused";
const TITLE = "Refused";

export function denialsSection(): Section {
  const table = new Table<Denial>({ caption: "Who was refused, and why", empty: "No refusal is recorded." }, [
    { head: "Who", text: ({ who }) => who },
    { head: "Reason", text: ({ reason }) => reason },
    {
      head: "Times",
      text: ({ count }) => count.toLocaleString("en"),
      sort: ({ count }) => count,
      isNumber: true,
    },
    { head: "First (UTC)", text: ({ first }) => minuteOf(first), sort: ({ first }) => first },
    { head: "Last (UTC)", text: ({ last }) => minuteOf(last), sort: ({ last }) => last },
  ]);
  const about = "Reads that were refused, by the code of the refusal. What each code means: docs/ERRORS.md.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(ID, TITLE, about, table.element),
    update: ({ denials }: Figures) => table.update([...denials].sort((a, b) => (a.last < b.last ? 1 : -1))),
  };
}

import { axisX, axisY, barX, gridX, ruleX } from "@observablehq/plot";
import { Chart, labelEms, labelMargin, type Picture } from "../chart.ts";
import { counted, minuteOf, secondOf } from "../element.ts";
import type { Figures, Leak, MaskedAt } from "../figures.ts";
import { total } from "../names.ts";
import { behind, type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";
import { countTicks, wholeNumber } from "../time-pictures.ts";

const ID = "leaks";
const TITLE = "Masked in outputs";
const EMPTY = "Nothing was masked: no value was seen in an output.";
const ROWS = 30;
const ROW_HEIGHT = 24;

export function leaksSection(): Section {
  const chart = new Chart("How often each secret was masked");
  const totals = new Table<Leak>({ caption: "What was masked in whose output", empty: EMPTY }, [
    { head: "Whose output", text: ({ who }) => who },
    { head: "Secret", text: ({ secret }) => secret },
    { head: "Stream", text: ({ stream }) => stream },
    { head: "Encoding", text: ({ encoding }) => encoding },
    {
      head: "Times",
      text: ({ count }) => count.toLocaleString("en"),
      sort: ({ count }) => count,
      isNumber: true,
    },
    { head: "First (UTC)", text: ({ first }) => minuteOf(first), sort: ({ first }) => first },
    { head: "Last (UTC)", text: ({ last }) => minuteOf(last), sort: ({ last }) => last },
  ]);
  const events = new Table<MaskedAt>({ caption: "When it happened, the newest first", empty: EMPTY }, [
    { head: "Time (UTC)", text: ({ time }) => secondOf(time), sort: ({ time }) => time },
    { head: "Whose output", text: ({ who }) => who },
    { head: "Host", text: ({ host }) => host },
    { head: "Program", text: ({ program }) => program },
    { head: "Secret", text: ({ secret }) => secret },
    { head: "Where", text: ({ stream, encoding }) => `${stream}, ${encoding}` },
    {
      head: "Times",
      text: ({ count }) => count.toLocaleString("en"),
      sort: ({ count }) => count,
      isNumber: true,
    },
  ]);
  const about =
    "Values that a program printed and redaction masked. Whatever printed them may also have sent them elsewhere, which nothing here would see. Of a period, totals are shown that reach into it.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(
      ID,
      TITLE,
      about,
      chart.element,
      totals.element,
      behind("Event by event", events.element),
    ),
    update: ({ leaks, leakEvents }: Figures) => {
      chart.update(leaks.length === 0 ? undefined : picture(leaks));
      totals.update([...leaks].sort((a, b) => (a.last < b.last ? 1 : -1)));
      events.update(leakEvents);
    },
  };
}

function picture(leaks: readonly Leak[]): Picture {
  const secrets = [...Map.groupBy(leaks, ({ secret }) => secret)]
    .map(([secret, own]) => ({ secret, count: total(own.map(({ count }) => count)) }))
    .sort((a, b) => b.count - a.count);
  const shown = secrets.slice(0, ROWS);
  return {
    label: `Masked: ${shown.map(({ secret, count }) => `${secret} ${counted(count, "time")}`).join(", ")}.`,
    draw: (width) => {
      const names = shown.map(({ secret }) => secret);
      const ticks = countTicks(shown[0]?.count ?? 0);
      const marginLeft = labelMargin(names, width);
      return {
        height: shown.length * ROW_HEIGHT + 46,
        marginLeft,
        marginTop: 4,
        // What is counted stands below the numbers.
        marginBottom: 36,
        y: { type: "band", domain: names, padding: 0.3 },
        marks: [
          gridX({ ticks, stroke: "var(--line)", strokeOpacity: 1 }),
          axisX({ label: "times masked", ticks, tickFormat: wholeNumber }),
          axisY({ label: null, lineWidth: labelEms(marginLeft), textOverflow: "ellipsis", tickSize: 0 }),
          barX(shown, {
            x: "count",
            y: "secret",
            fill: "var(--warn)",
            title: ({ secret, count }: (typeof shown)[number]) =>
              `${secret}\nmasked ${counted(count, "time")}`,
            tip: true,
          }),
          ruleX([0], { stroke: "var(--line)" }),
        ],
      };
    },
  };
}

import { axisX, axisY, barX, gridX, ruleX } from "@observablehq/plot";
import type { ReportData } from "../../data.ts";
import { Chart, labelEms, labelMargin, type Picture } from "../chart.ts";
import { counted, el, minuteOf } from "../element.ts";
import type { Figures, Readable, Unread } from "../figures.ts";
import { type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";
import { countTicks, wholeNumber } from "../time-pictures.ts";

const ID = "could-read";
const TITLE = "Could read, did read";
const ROWS = 40;
const ROW_HEIGHT = 26;

interface Share {
  readonly agent: string;
  readonly could: number;
  readonly did: number;
}

export function couldReadSection({ unpulled: { days } }: ReportData["audit"]): Section {
  const chart = new Chart("Secrets that each agent could read (outlined) and did read (filled)");
  const table = new Table<Readable>(
    { caption: "What each agent could read, and whether it did", empty: "No agent could read anything." },
    [
      { head: "Agent", text: ({ agent }) => agent },
      { head: "Secret", text: ({ secret }) => secret },
      { head: "Could since (UTC)", text: ({ since }) => (since === null ? "not known" : minuteOf(since)) },
      { head: "May today", text: ({ now }) => (now ? "yes" : "no") },
      {
        head: "Values read",
        text: ({ values, valuesRead }) => `${valuesRead} of ${values}`,
        sort: ({ valuesRead }) => valuesRead,
        isNumber: true,
      },
      {
        head: "Pulls",
        text: ({ pulls }) => pulls.toLocaleString("en"),
        sort: ({ pulls }) => pulls,
        isNumber: true,
      },
      { head: "Last (UTC)", text: ({ last }) => (last === null ? "never" : minuteOf(last)) },
    ],
  );
  const unread = el("input", { type: "checkbox", id: "unread", autocomplete: "off" });
  const unpulled = new Table<Unread>(
    {
      caption: `Secrets that nobody pulled for ${counted(days, "day")}`,
      empty: `Every secret was pulled within ${counted(days, "day")}.`,
    },
    [
      { head: "Secret", text: ({ secret }) => secret },
      { head: "Value set (UTC)", text: ({ setAt }) => minuteOf(setAt) },
      { head: "Last pull (UTC)", text: ({ last }) => (last === null ? "never" : minuteOf(last)) },
    ],
  );
  let latest: readonly Readable[] = [];
  const fill = () => table.update(unread.checked ? latest.filter(({ pulls }) => pulls === 0) : latest);
  unread.addEventListener("change", fill);
  const choice = el(
    "p",
    { class: "choice" },
    unread,
    el("label", { for: "unread" }, "Only what was never read"),
  );
  const about =
    "What an agent's keys opened or open, beside what the logs say it pulled. What is never read need not be granted. The period above does not narrow this.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(ID, TITLE, about, chart.element, choice, table.element, unpulled.element),
    update: ({ couldRead, unpulled: secrets }: Figures) => {
      latest = couldRead;
      const shares = sharesOf(couldRead);
      chart.update(shares.length === 0 ? undefined : picture(shares));
      fill();
      unpulled.update(secrets);
    },
  };
}

export function sharesOf(couldRead: readonly Readable[]): Share[] {
  return [...Map.groupBy(couldRead, ({ agent }) => agent)]
    .map(([agent, own]) => ({ agent, could: own.length, did: own.filter(({ pulls }) => pulls > 0).length }))
    .sort((a, b) => b.could - a.could || (a.agent < b.agent ? -1 : 1));
}

function picture(shares: readonly Share[]): Picture {
  const shown = shares.slice(0, ROWS);
  const text = shown.map(({ agent, could, did }) => `${agent} ${did} of ${could}`).join(", ");
  return {
    label: `Secrets read, of those that could be read: ${text}.`,
    draw: (width) => {
      const names = shown.map(({ agent }) => agent);
      const ticks = countTicks(shown[0]?.could ?? 0);
      const marginLeft = labelMargin(names, width);
      const title = ({ agent, could, did }: Share) =>
        `${agent}\ncould read ${counted(could, "secret")}\ndid read ${did}`;
      return {
        height: shown.length * ROW_HEIGHT + 46,
        marginLeft,
        marginTop: 4,
        // What is counted stands below the numbers.
        marginBottom: 36,
        y: { type: "band", domain: names, padding: 0.25 },
        marks: [
          gridX({ ticks, stroke: "var(--line)", strokeOpacity: 1 }),
          axisX({ label: "secrets", ticks, tickFormat: wholeNumber }),
          axisY({ label: null, lineWidth: labelEms(marginLeft), textOverflow: "ellipsis", tickSize: 0 }),
          barX(shown, {
            x: "could",
            y: "agent",
            fill: "var(--pale)",
            stroke: "var(--accent)",
            title,
            tip: true,
          }),
          barX(shown, { x: "did", y: "agent", fill: "var(--accent)", insetTop: 5, insetBottom: 5 }),
          ruleX([0], { stroke: "var(--line)" }),
        ],
      };
    },
  };
}

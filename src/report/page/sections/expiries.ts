import { axisX, axisY, dot, gridY, ruleX, text } from "@observablehq/plot";
import { Chart, labelEms, labelMargin, type Picture } from "../chart.ts";
import { counted, el } from "../element.ts";
import type { Expiring } from "../expiring.ts";
import type { Figures } from "../figures.ts";
import { behind, type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";

const ID = "expiries";
const TITLE = "Expiries";
const ROWS = 40;
const ROW_HEIGHT = 22;
const WORD = { expired: "expired", soon: "within 30 days", later: "later" } as const;
const COLOUR = { expired: "var(--bad)", soon: "var(--warn)", later: "var(--accent)" } as const;
/** Told apart without colour too. */
const SYMBOL = { expired: "times", soon: "triangle", later: "circle" } as const;

/** @param now when the page was made. */
export function expiriesSection(now: string): Section {
  const chart = new Chart("When values and grants end: × expired, ▲ within 30 days, ● later");
  const table = new Table<Expiring>({ caption: "Values and grants that end", empty: "Nothing has an end." }, [
    { head: "Ends (UTC)", text: ({ expiresAt }) => expiresAt.slice(0, 10) },
    { head: "What", text: ({ what }) => what },
    { head: "Kind", text: ({ kind }) => kind },
    {
      head: "State",
      text: ({ state }) => WORD[state],
      show: ({ state }) => el("span", { class: `state ${state}` }, WORD[state]),
    },
    {
      head: "To renew",
      text: ({ renew }) => renew ?? "",
      show: ({ renew }) => (renew === undefined ? "" : el("code", {}, renew)),
    },
  ]);
  const about =
    "An expired value or grant is refused. An expired grant is no revocation: its key opens new values until the group has another.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(ID, TITLE, about, chart.element, behind("As a table", table.element)),
    update: ({ expiries }: Figures) => {
      chart.update(expiries.length === 0 ? undefined : picture(expiries, now));
      table.update(expiries);
    },
  };
}

function picture(expiries: readonly Expiring[], now: string): Picture {
  const shown = expiries.slice(0, ROWS);
  const count = (state: Expiring["state"]) => expiries.filter((one) => one.state === state).length;
  return {
    label: `${counted(expiries.length, "value or grant").replace("grants", "grants")} with an end: ${count("expired")} expired, ${count("soon")} within 30 days, ${count("later")} later.`,
    draw: (width) => {
      const names = shown.map(({ what }) => what);
      const marginLeft = labelMargin(names, width);
      const at = ({ expiresAt }: Expiring) => new Date(expiresAt);
      return {
        height: shown.length * ROW_HEIGHT + 60,
        marginLeft,
        marginTop: 24,
        marginRight: 40,
        x: { type: "utc" },
        y: { type: "point", domain: names },
        symbol: { type: "identity" },
        marks: [
          axisX({ label: null, ticks: Math.max(2, Math.floor(width / 100)) }),
          axisY({ label: null, lineWidth: labelEms(marginLeft), textOverflow: "ellipsis", tickSize: 0 }),
          gridY({ stroke: "var(--line)", strokeOpacity: 1 }),
          ruleX([new Date(now)], { stroke: "var(--text)", strokeDasharray: "3 3" }),
          text([new Date(now)], { x: (day: Date) => day, frameAnchor: "top", dy: -10, text: () => "now" }),
          dot(shown, {
            x: at,
            y: "what",
            symbol: ({ state }: Expiring) => SYMBOL[state],
            fill: ({ state }: Expiring) => COLOUR[state],
            stroke: ({ state }: Expiring) => COLOUR[state],
            r: 5,
            title: ({ what, expiresAt, state }: Expiring) =>
              `${what}\n${expiresAt.slice(0, 10)} (${WORD[state]})`,
            tip: true,
          }),
        ],
      };
    },
  };
}

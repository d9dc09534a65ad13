import { Chart } from "../chart.ts";
import { counted, el } from "../element.ts";
import type { Figures, Pull } from "../figures.ts";
import { total } from "../names.ts";
import { behind, type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";
import { barsOverTime, dotsOverTime } from "../time-pictures.ts";

const ID = "pulls";
const TITLE = "Pulls over time";
/** More do not fit a look. */
const ROWS = 30;

const ROWS_BY = {
  agent: { label: "who pulled", of: ({ who }: Pull) => who },
  secret: { label: "secret", of: ({ secret }: Pull) => secret },
  both: { label: "who pulled and secret", of: ({ who, secret }: Pull) => `${who}: ${secret}` },
} as const;
type RowsBy = keyof typeof ROWS_BY;

export function pullsSection(): Section {
  const bars = new Chart("All pulls");
  const dots = new Chart("Who pulled what, when");
  const left = el("p", { class: "left", role: "status" });
  const table = new Table<Pull>(
    { caption: "Pulls by day (UTC), who and secret", empty: "No pull recorded." },
    [
      { head: "Day (UTC)", text: ({ day }) => day },
      { head: "Who", text: ({ who }) => who },
      { head: "Secret", text: ({ secret }) => secret },
      {
        head: "Pulls",
        text: ({ pulls }) => pulls.toLocaleString("en"),
        sort: ({ pulls }) => pulls,
        isNumber: true,
      },
    ],
  );
  let rowsBy: RowsBy = "agent";
  let latest: readonly Pull[] = [];
  const draw = () => {
    const rows = topRows(latest, ROWS_BY[rowsBy].of);
    const shown = rows.slice(0, ROWS);
    left.textContent =
      rows.length > ROWS
        ? `The ${ROWS} rows with most pulls of ${rows.length.toLocaleString("en")}: search or choose to see others.`
        : "";
    bars.update(latest.length === 0 ? undefined : barsOverTime(latest, summary(latest)));
    dots.update(
      shown.length === 0
        ? undefined
        : dotsOverTime(
            latest,
            ROWS_BY[rowsBy].of,
            shown,
            `Pulls by ${ROWS_BY[rowsBy].label}. ${summary(latest)}`,
          ),
    );
    table.update(latest.toReversed());
  };
  const choice = rowChoice((chosen) => {
    rowsBy = chosen;
    draw();
  });
  const about =
    "Every time a value was released: to a launched program, by get, or to be masked by redact. Each secret of a launch counts.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(
      ID,
      TITLE,
      about,
      bars.element,
      choice,
      dots.element,
      left,
      behind("As a table", table.element),
    ),
    update: (figures: Figures) => {
      latest = figures.pulls;
      draw();
    },
  };
}

function rowChoice(choose: (rowsBy: RowsBy) => void): HTMLElement {
  const select = el(
    "select",
    { id: "rows-by", autocomplete: "off" },
    el("option", { value: "agent" }, "agents and owners"),
    el("option", { value: "secret" }, "secrets"),
    el("option", { value: "both" }, "agents and owners with secrets"),
  );
  select.addEventListener("change", () => choose(select.value as RowsBy));
  return el("p", { class: "choice" }, el("label", { for: "rows-by" }, "Rows"), select);
}

/** The rows' names, the one with most pulls first. */
function topRows(pulls: readonly Pull[], of: (pull: Pull) => string): string[] {
  const counts = new Map<string, number>();
  for (const pull of pulls) counts.set(of(pull), (counts.get(of(pull)) ?? 0) + pull.pulls);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
}

function summary(pulls: readonly Pull[]): string {
  const days = `between ${pulls[0]?.day ?? ""} and ${pulls.at(-1)?.day ?? ""}`;
  return `${counted(total(pulls.map((pull) => pull.pulls)), "pull")} ${days}.`;
}

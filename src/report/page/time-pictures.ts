import { axisX, axisY, dot, gridY, rectY, ruleY } from "@observablehq/plot";
import { labelEms, labelMargin, type Picture } from "./chart.ts";
import { counted } from "./element.ts";
import type { Pull } from "./figures.ts";

// Pulls along a line of time, as they come: oldest first. In days, weeks or months: whichever leaves each a width that can be seen.

const DAY_MS = 86_400_000;
const NARROWEST = 9;
/** Fewer would be bars as wide as the page, and a line of hours. */
const FEWEST_DAYS = 13;
const ROW_HEIGHT = 24;
const LEFT = 44;

interface Span {
  readonly start: Date;
  readonly end: Date;
}

interface Unit {
  readonly name: string;
  readonly days: number;
  readonly spanOf: (day: string) => Span;
}

const UNITS: readonly [Unit, Unit, Unit] = [
  { name: "day", days: 1, spanOf: (day) => spanFrom(Date.parse(day), 1) },
  {
    name: "week",
    days: 7,
    spanOf: (day) => {
      const at = Date.parse(day);
      return spanFrom(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS, 7);
    },
  },
  {
    name: "month",
    days: 30,
    spanOf: (day) => {
      const [year = 0, month = 1] = day.split("-").map(Number);
      return { start: new Date(Date.UTC(year, month - 1)), end: new Date(Date.UTC(year, month)) };
    },
  },
];

export function barsOverTime(pulls: readonly Pull[], label: string): Picture {
  return {
    label,
    draw: (width) => {
      const { unit, domain } = scaleOf(pulls, width - LEFT);
      const bins = binned(pulls, unit, () => "");
      return {
        height: 150,
        marginLeft: LEFT,
        x: { type: "utc", domain },
        y: { grid: true },
        marks: [
          timeAxis(width),
          axisY({ label: `pulls a ${unit.name}`, ticks: 4, tickFormat: wholeNumber }),
          rectY(bins, {
            x1: "start",
            x2: "end",
            y: "count",
            insetLeft: 0.5,
            insetRight: 0.5,
            fill: "var(--accent)",
            title: titleOf(unit),
            tip: true,
          }),
          ruleY([0], { stroke: "var(--line)" }),
        ],
      };
    },
  };
}

export function dotsOverTime(
  pulls: readonly Pull[],
  rowOf: (pull: Pull) => string,
  rows: readonly string[],
  label: string,
): Picture {
  const wanted = new Set(rows);
  const shown = pulls.filter((pull) => wanted.has(rowOf(pull)));
  return {
    label,
    draw: (width) => {
      const marginLeft = labelMargin(rows, width);
      const { unit, domain } = scaleOf(pulls, width - marginLeft);
      const bins = binned(shown, unit, rowOf);
      return {
        height: rows.length * ROW_HEIGHT + 40,
        marginLeft,
        marginTop: 10,
        x: { type: "utc", domain },
        y: { type: "point", domain: rows },
        r: { type: "sqrt", range: [0, ROW_HEIGHT / 2] },
        marks: [
          timeAxis(width),
          axisY({ label: null, lineWidth: labelEms(marginLeft), textOverflow: "ellipsis", tickSize: 0 }),
          gridY({ stroke: "var(--line)", strokeOpacity: 1 }),
          dot(bins, {
            x: ({ start, end }: Span) => new Date((start.getTime() + end.getTime()) / 2),
            y: "row",
            r: "count",
            fill: "var(--accent)",
            fillOpacity: 0.75,
            stroke: "var(--accent)",
            title: titleOf(unit),
            tip: true,
          }),
        ],
      };
    },
  };
}

interface Bin extends Span {
  readonly row: string;
  readonly count: number;
}

function binned(pulls: readonly Pull[], unit: Unit, rowOf: (pull: Pull) => string): Bin[] {
  const bins = new Map<string, Bin>();
  let day = "";
  let span = unit.spanOf("1970-01-01");
  for (const pull of pulls) {
    if (pull.day !== day) {
      day = pull.day;
      span = unit.spanOf(day);
    }
    const row = rowOf(pull);
    const key = `${span.start.getTime()} ${row}`;
    bins.set(key, { ...span, row, count: (bins.get(key)?.count ?? 0) + pull.pulls });
  }
  return [...bins.values()];
}

function scaleOf(pulls: readonly Pull[], width: number): { unit: Unit; domain: [Date, Date] } {
  const last = pulls.at(-1)?.day ?? "1970-01-01";
  const earliest = Math.min(Date.parse(pulls[0]?.day ?? last), Date.parse(last) - FEWEST_DAYS * DAY_MS);
  const first = dayOf(earliest);
  const length = (Date.parse(last) - earliest) / DAY_MS + 1;
  const unit = UNITS.find(({ days: of }) => width / (length / of) >= NARROWEST) ?? UNITS[2];
  return { unit, domain: [unit.spanOf(first).start, unit.spanOf(last).end] };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function timeAxis(width: number) {
  return axisX({ label: null, ticks: Math.max(2, Math.floor(width / 90)) });
}

function titleOf(unit: Unit): (bin: Bin) => string {
  return ({ start, row, count }) => {
    const day = dayOf(start.getTime());
    const when = unit.name === "day" ? day : unit.name === "week" ? `week of ${day}` : day.slice(0, 7);
    return `${row === "" ? "" : `${row}\n`}${when}\n${counted(count, "pull")}`;
  };
}

function spanFrom(at: number, days: number): Span {
  return { start: new Date(at), end: new Date(at + days * DAY_MS) };
}

/** Ticks at whole numbers. */
export function countTicks(most: number): number {
  return Math.max(1, Math.min(5, most));
}

export function wholeNumber(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en") : "";
}

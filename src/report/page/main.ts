import type { ReportData } from "../data.ts";
import { el, minuteOf } from "./element.ts";
import { figuresOf } from "./figures.ts";
import { ALL, type Filter } from "./filter.ts";
import { filterBar } from "./filter-bar.ts";
import { couldReadSection } from "./sections/could-read.ts";
import { denialsSection } from "./sections/denials.ts";
import { expiriesSection } from "./sections/expiries.ts";
import { findingsSection } from "./sections/findings.ts";
import { leaksSection } from "./sections/leaks.ts";
import { matrixSection } from "./sections/matrix.ts";
import { pullsSection } from "./sections/pulls.ts";
import { rotationSection } from "./sections/rotation.ts";
import { Summary } from "./summary.ts";
import { themeChoice } from "./theme.ts";

// The report's own code: it runs in a browser, knows the data block of its page and nothing else, and asks for nothing.

const data = JSON.parse(document.getElementById("data")?.textContent ?? "") as ReportData;
const sections = [
  matrixSection(),
  pullsSection(),
  couldReadSection(data.audit),
  rotationSection(),
  expiriesSection(data.made.at),
  leaksSection(),
  denialsSection(),
  findingsSection(data),
];
const summary = new Summary(figuresOf(data, ALL));

function show(filter: Filter): void {
  const figures = figuresOf(data, filter);
  summary.update(figures);
  for (const section of sections) section.update(figures);
}

function header(): HTMLElement {
  const { status, made } = data;
  const facts: readonly (readonly [string, string])[] = [
    ["Vault", status.vault],
    ["Made", `${minuteOf(made.at)} UTC on ${made.host}`],
    ...(made.commit === null ? [] : ([["Commit", made.commit.slice(0, 12)]] as const)),
    ["Owners", status.owners.map(({ name, key }) => `${name} (${key.slice(0, 16)})`).join(", ")],
    ["Suite", status.suite],
    ["Audit", status.audit],
  ];
  return el(
    "header",
    {},
    el("h1", {}, "vault-run report"),
    el("dl", {}, ...facts.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))),
    themeChoice(),
  );
}

function contents(): HTMLElement {
  const links = sections.map(({ id, title }) => el("li", {}, el("a", { href: `#${id}` }, title)));
  return el("nav", { "aria-label": "Parts of this page" }, el("ul", {}, ...links));
}

document.body.replaceChildren(
  el("a", { href: "#summary", class: "skip" }, "Skip to the figures"),
  header(),
  contents(),
  filterBar(data, show),
  el("main", { id: "summary", tabindex: "-1" }, summary.element, ...sections.map(({ element }) => element)),
  el(
    "footer",
    {},
    el(
      "p",
      {},
      `Made by vault-run ${data.made.version}. Names and times only: no value of a secret is on this page.`,
    ),
  ),
);
show(ALL);

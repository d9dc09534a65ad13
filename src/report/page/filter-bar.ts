import type { ReportData } from "../data.ts";
import { el } from "./element.ts";
import { ALL, type Filter, isAll } from "./filter.ts";
import { whoOf } from "./names.ts";

/** The words and choices by which the reader narrows the page. */
export function filterBar(data: ReportData, changed: (filter: Filter) => void): HTMLElement {
  const fields = {
    text: el("input", { type: "search", id: "filter-text", placeholder: "secret, agent, host, …" }),
    who: select("filter-who", "everyone", everyone(data)),
    group: select("filter-group", "all groups", groupNames(data)),
    since: el("input", { type: "date", id: "filter-since" }),
    until: el("input", { type: "date", id: "filter-until" }),
  };
  const clear = el("button", { type: "reset" }, "Show all");
  const note = el("p", { class: "filtered", role: "status" });
  const form = el(
    "form",
    // A browser that fills in what stood there before would show what does not hold.
    { role: "search", "aria-label": "Filter the whole page", autocomplete: "off" },
    labelled("Search", fields.text),
    labelled("Who", fields.who),
    labelled("Group", fields.group),
    labelled("From (UTC)", fields.since),
    labelled("To (UTC)", fields.until),
    clear,
    note,
  );
  const apply = (filter: Filter) => {
    clear.disabled = isAll(filter);
    note.textContent = isAll(filter) ? "" : "Filtered: every figure, picture and table below shows a part.";
    changed(filter);
  };
  const read = (): Filter => ({
    text: fields.text.value.trim(),
    who: fields.who.value,
    group: fields.group.value,
    since: fields.since.value,
    until: fields.until.value,
  });
  form.addEventListener("input", () => apply(read()));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => apply(ALL));
  clear.disabled = true;
  return form;
}

function labelled(label: string, field: HTMLElement): HTMLElement {
  return el("div", { class: "field" }, el("label", { for: field.id }, label), field);
}

function select(id: string, all: string, names: readonly string[]): HTMLSelectElement {
  return el(
    "select",
    { id },
    el("option", { value: "" }, all),
    ...names.map((name) => el("option", { value: name }, name)),
  );
}

/** Also who is no more, where a log or a list knows of them. */
function everyone({ agents, audit, rotation }: ReportData): string[] {
  const readers = rotation.rotate.flatMap((secret) => secret.readers.map(whoOf));
  const of = [
    ...agents.map(({ name }) => name),
    ...audit.totals.map(whoOf),
    ...audit.couldRead.map(({ agent }) => agent),
    ...audit.leaks.map(whoOf),
    ...audit.denials.map(whoOf),
    ...readers,
  ];
  return [...new Set(of)].sort();
}

function groupNames({ status, audit }: ReportData): string[] {
  const of = [...status.groups.map(({ name }) => name), ...audit.totals.map(({ group }) => group)];
  return [...new Set(of)].sort();
}

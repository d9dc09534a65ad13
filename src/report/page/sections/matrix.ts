import type { Access, AccessCell } from "../access.ts";
import { el } from "../element.ts";
import type { Figures } from "../figures.ts";
import { type Section, sectionElement } from "../section.ts";

const ID = "access";
const TITLE = "Who may read what";

/** Agents down, groups across. It is a table already, so that it needs none beside it. */
export function matrixSection(): Section {
  const place = el("div", {
    class: "wide",
    role: "region",
    tabindex: "0",
    "aria-label": "Agents and groups",
  });
  const about =
    "Agents down, groups across, with the number of secrets of each. A tick is a grant; the number beside it is how often the group's values were pulled. A number without a tick is from when there was a grant.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(ID, TITLE, about, place),
    update: (figures) => place.replaceChildren(drawn(figures)),
  };
}

function drawn({ matrix, groups }: Figures): HTMLElement {
  if (matrix.length === 0 || groups.length === 0)
    return el("p", { class: "empty" }, "No agent and group to show.");
  const heads = groups.map(({ name, secrets }) =>
    el("th", { scope: "col" }, name, el("span", { class: "count" }, ` ${secrets}`)),
  );
  return el(
    "table",
    { class: "matrix" },
    el("caption", {}, "Grants and pulls, by agent and group"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Agent"), ...heads)),
    el("tbody", {}, ...matrix.map(row)),
  );
}

function row({ agent, description, cells }: Access): HTMLElement {
  const head = el(
    "th",
    { scope: "row" },
    agent,
    description === null ? undefined : el("span", { class: "note" }, description),
  );
  return el("tr", {}, head, ...cells.map(cell));
}

function cell({ access, expiresAt, pulls }: AccessCell): HTMLElement {
  const count = pulls === 0 ? undefined : el("span", { class: "pulls" }, pulls.toLocaleString("en"));
  const word = { granted: "granted", expired: "grant expired", none: "not granted" }[access];
  const said = `${word}${expiresAt === null ? "" : ` until ${expiresAt.slice(0, 10)}`}, pulls: `;
  const mark = { granted: "✓", expired: "✗", none: pulls === 0 ? "·" : "" }[access];
  const end =
    expiresAt === null
      ? undefined
      : el("span", { class: "note", "aria-hidden": "true" }, `until ${expiresAt.slice(0, 10)}`);
  return el(
    "td",
    { class: access },
    el("span", { class: "mark", "aria-hidden": "true" }, mark),
    el("span", { class: "unseen" }, said, pulls === 0 ? "none" : ""),
    count,
    end,
  );
}

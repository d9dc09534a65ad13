import { type Child, el } from "./element.ts";
import type { Figures } from "./figures.ts";

/** A part of the page that follows the filter. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
  readonly update: (figures: Figures) => void;
}

export function sectionElement(id: string, title: string, about: string, ...children: Child[]): HTMLElement {
  const heading = `${id}-title`;
  return el(
    "section",
    { id, "aria-labelledby": heading },
    el("h2", { id: heading }, title),
    el("p", { class: "about" }, about),
    ...children,
  );
}

/** A table that is folded away: the numbers behind a picture, or more than most want to know. */
export function behind(title: string, table: HTMLElement): HTMLElement {
  return el("details", {}, el("summary", {}, title), table);
}

import { type PlotOptions, plot } from "@observablehq/plot";
import { el } from "./element.ts";

// A picture that fits its place. What it says stands in its label and, number by number, in the table beside it.

export interface Picture {
  /** What is to be seen, in a sentence: for who does not see it. */
  readonly label: string;
  /** Undefined where there is nothing to draw. */
  readonly draw: (width: number) => PlotOptions;
}

export class Chart {
  readonly element: HTMLElement;
  readonly #place: HTMLElement;
  #picture: Picture | undefined;
  #width = 0;

  constructor(caption: string) {
    this.#place = el("div", { class: "picture" });
    this.element = el("figure", {}, el("figcaption", {}, caption), this.#place);
    new ResizeObserver(() => {
      if (Math.floor(this.#place.clientWidth) !== this.#width) this.#draw();
    }).observe(this.#place);
  }

  update(picture: Picture | undefined): void {
    this.#picture = picture;
    this.element.hidden = picture === undefined;
    this.#draw();
  }

  #draw(): void {
    this.#width = Math.floor(this.#place.clientWidth);
    if (this.#picture === undefined || this.#width === 0) {
      this.#place.replaceChildren();
      return;
    }
    const drawn = plot({ className: "plot", width: this.#width, ...this.#picture.draw(this.#width) });
    // Its few rules are in page.css: the page's policy takes no others.
    for (const style of drawn.querySelectorAll("style")) style.remove();
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", this.#picture.label);
    // The label says it; the words inside are for the eye.
    for (const child of drawn.children) child.setAttribute("aria-hidden", "true");
    this.#place.replaceChildren(drawn);
  }
}

/** Room for labels: about as much as the widest needs, and at most a third of the width. */
export function labelMargin(labels: readonly string[], width: number): number {
  const widest = Math.max(
    ...labels.map((label) => 6.7 * label.length + 2 * label.replace(/[^A-Z_]/g, "").length),
  );
  return Math.min(widest + 20, width / 3);
}

/** How many letters fit there, in ems as the plotting library counts them. */
export function labelEms(margin: number): number {
  return (margin - 14) / 12;
}

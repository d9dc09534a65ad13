import { el } from "./element.ts";
import type { Figures } from "./figures.ts";
import { total } from "./names.ts";

// The page in numbers, each a way to what it counts. Under a filter each says what of how much.

interface Tile {
  readonly key: string;
  readonly to: string;
  /** Of one, and of any other number. */
  readonly label: readonly [string, string];
  readonly count: (figures: Figures) => number;
  /** How it looks where it is not nought. */
  readonly tone?: "warn" | "bad";
}

const TILES: readonly Tile[] = [
  { key: "agents", to: "access", label: ["agent", "agents"], count: ({ matrix }) => matrix.length },
  { key: "groups", to: "access", label: ["group", "groups"], count: ({ groups }) => groups.length },
  { key: "secrets", to: "access", label: ["secret", "secrets"], count: ({ secrets }) => secrets },
  {
    key: "pulls",
    to: "pulls",
    label: ["pull", "pulls"],
    count: ({ pulls }) => total(pulls.map((pull) => pull.pulls)),
  },
  {
    key: "rotate",
    to: "rotation",
    label: ["value to rotate", "values to rotate"],
    count: ({ rotation }) => new Set(rotation.map(({ secret }) => secret)).size,
    tone: "bad",
  },
  {
    key: "expiring",
    to: "expiries",
    label: ["expired or within 30 days", "expired or within 30 days"],
    count: ({ expiries }) => expiries.filter(({ state }) => state !== "later").length,
    tone: "warn",
  },
  {
    key: "masked",
    to: "leaks",
    label: ["time masked", "times masked"],
    count: ({ leaks }) => total(leaks.map(({ count }) => count)),
    tone: "warn",
  },
  {
    key: "refused",
    to: "refused",
    label: ["time refused", "times refused"],
    count: ({ denials }) => total(denials.map(({ count }) => count)),
    tone: "warn",
  },
  {
    key: "lines",
    to: "findings",
    label: ["finding in the logs", "findings in the logs"],
    count: ({ lineCount }) => lineCount,
    tone: "bad",
  },
  {
    key: "errors",
    to: "findings",
    label: ["error in the vault", "errors in the vault"],
    count: ({ check }) => check.filter(({ level }) => level === "error").length,
    tone: "bad",
  },
];

export class Summary {
  readonly element = el("ul", { class: "tiles", "aria-label": "In numbers" });
  readonly #whole: Figures;

  constructor(whole: Figures) {
    this.#whole = whole;
  }

  update(figures: Figures): void {
    this.element.replaceChildren(...TILES.map((tile) => this.#tile(tile, figures)));
  }

  #tile({ key, to, label, count, tone }: Tile, figures: Figures): HTMLElement {
    const [shown, whole] = [count(figures), count(this.#whole)];
    const number = el("span", { class: "number", "data-figure": key }, shown.toLocaleString("en"));
    const of = shown === whole ? undefined : el("span", { class: "of" }, ` of ${whole.toLocaleString("en")}`);
    const link = el(
      "a",
      { href: `#${to}`, class: shown > 0 ? tone : undefined },
      number,
      of,
      el("span", { class: "label" }, label[shown === 1 ? 0 : 1]),
    );
    return el("li", {}, link);
  }
}

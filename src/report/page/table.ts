import { type Child, counted, el } from "./element.ts";

// A table whose columns sort, and of which a part is shown at first: a page with a hundred thousand rows answers no more.
// On a phone each row becomes a card (page.css), which takes its role from an element: so the roles are written out.

const ROWS_AT_FIRST = matchMedia("(max-width: 44rem)").matches ? 10 : 50;
const ROWS_MORE = 500;
const ROWS_PRINTED = 500;

export interface Column<R> {
  readonly head: string;
  /** What is shown, and sorted by where `sort` is not there. */
  readonly text: (row: R) => string;
  readonly sort?: (row: R) => string | number;
  /** What is shown in place of the text. */
  readonly show?: (row: R) => Child;
  readonly isNumber?: boolean;
}

export interface TableText {
  readonly caption: string;
  /** What stands there when there are no rows. */
  readonly empty: string;
}

export class Table<R> {
  readonly element: HTMLElement;
  readonly #text: TableText;
  readonly #columns: readonly Column<R>[];
  #rows: readonly R[] = [];
  #shown = ROWS_AT_FIRST;
  #sorted: { readonly at: number; readonly down: boolean } | undefined;

  constructor(text: TableText, columns: readonly Column<R>[]) {
    this.#text = text;
    this.#columns = columns;
    this.element = el("div", { class: "table" });
    let before = this.#shown;
    addEventListener("beforeprint", () => {
      before = this.#shown;
      this.#show(Math.max(this.#shown, ROWS_PRINTED));
    });
    addEventListener("afterprint", () => this.#show(before));
  }

  update(rows: readonly R[]): void {
    this.#rows = rows;
    this.#shown = ROWS_AT_FIRST;
    this.#draw();
  }

  #show(count: number): void {
    if (Math.min(count, this.#rows.length) === Math.min(this.#shown, this.#rows.length)) return;
    this.#shown = count;
    this.#draw();
  }

  #draw(): void {
    if (this.#rows.length === 0) {
      this.element.replaceChildren(el("p", { class: "empty" }, this.#text.empty));
      return;
    }
    const rows = this.#inOrder().slice(0, this.#shown);
    const body = rows.map((row) => el("tr", { role: "row" }, ...this.#columns.map((of) => cell(of, row))));
    const table = el(
      "table",
      { role: "table" },
      el("caption", {}, this.#text.caption),
      el(
        "thead",
        { role: "rowgroup" },
        el("tr", { role: "row" }, ...this.#columns.map((_, at) => this.#head(at))),
      ),
      el("tbody", { role: "rowgroup" }, ...body),
    );
    this.element.replaceChildren(table, ...this.#more());
  }

  #head(at: number): HTMLElement {
    const { head, isNumber } = this.#columns[at] ?? missing();
    const down = this.#sorted?.at === at ? this.#sorted.down : undefined;
    const button = el(
      "button",
      { type: "button" },
      head,
      el("span", { class: "order", "aria-hidden": "true" }),
    );
    button.addEventListener("click", () => {
      this.#sorted = { at, down: down === undefined ? isNumber === true : !down };
      this.#draw();
      this.element.querySelectorAll<HTMLElement>("thead button")[at]?.focus();
    });
    const order = down === undefined ? "none" : down ? "descending" : "ascending";
    const attributes = { role: "columnheader", scope: "col", "aria-sort": order };
    return el("th", isNumber === true ? { ...attributes, class: "number" } : attributes, button);
  }

  #more(): HTMLElement[] {
    const left = this.#rows.length - this.#shown;
    if (left <= 0) return [];
    const note = `${this.#shown.toLocaleString("en")} of ${counted(this.#rows.length, "row")}`;
    const button = el("button", { type: "button" }, `Show ${Math.min(left, ROWS_MORE)} more`);
    button.addEventListener("click", () => {
      const first = this.#shown;
      this.#show(this.#shown + ROWS_MORE);
      // Where the reading goes on, for who came by keyboard.
      const next = this.element.querySelectorAll<HTMLElement>("tbody tr")[first];
      next?.setAttribute("tabindex", "-1");
      next?.focus();
    });
    return [el("p", { class: "more" }, note, button)];
  }

  #inOrder(): readonly R[] {
    if (this.#sorted === undefined) return this.#rows;
    const { at, down } = this.#sorted;
    const { text, sort = text } = this.#columns[at] ?? missing();
    const sign = down ? -1 : 1;
    return [...this.#rows].sort((a, b) => sign * compared(sort(a), sort(b)));
  }
}

function cell<R>({ head, text, show, isNumber }: Column<R>, row: R): HTMLElement {
  const attributes = { role: "cell", "data-label": head };
  return el(
    "td",
    isNumber === true ? { ...attributes, class: "number" } : attributes,
    show?.(row) ?? text(row),
  );
}

function compared(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function missing(): never {
  throw new TypeError("a column that is not there");
}

import type { BlockTexts } from "./blocks.ts";
import type { AuditLine } from "./event.ts";
import type { LineShape, LineStatus, LineView, ReadLine } from "./finding.ts";
import { reparseLine } from "./line.ts";

/** A line of a block that was verified before. It is parsed only when somebody asks for all of it. */
export class RememberedLine implements LineView {
  readonly shape: LineShape;
  readonly at: number;
  readonly #texts: BlockTexts;
  readonly #place: number;

  constructor(shape: LineShape, at: number, texts: BlockTexts, place: number) {
    this.shape = shape;
    this.at = at;
    this.#texts = texts;
    this.#place = place;
  }

  get line(): AuditLine {
    return reparseLine(String(this.#texts.at(this.#place)));
  }
}

export function viewOf(line: AuditLine): LineView {
  return { shape: line, at: Date.parse(line.time), line };
}

export class JudgedLine implements ReadLine {
  readonly status: LineStatus;
  readonly #view: LineView;

  constructor(status: LineStatus, view: LineView) {
    this.status = status;
    this.#view = view;
  }

  get shape(): LineShape {
    return this.#view.shape;
  }

  get at(): number {
    return this.#view.at;
  }

  get line(): AuditLine {
    return this.#view.line;
  }
}

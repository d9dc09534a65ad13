// Draws a terminal session as one SVG that plays by itself in an <img>: no script, and nothing is loaded. Where there is no
// animation (a reader who asks for less motion, a program that knows none) it is its last picture.
import { stripVTControlCharacters } from "node:util";

/** What was typed at the prompt, and what stood below it at the next, with its colours. */
export interface Exchange {
  readonly typed: string;
  readonly lines: readonly string[];
}

const COLUMNS = 98;
const ROWS = 28;
const CELL_WIDTH = 8.4;
const CELL_HEIGHT = 20;
const PAD = 18;
const BAR = 34;
const WIDTH = round(COLUMNS * CELL_WIDTH + 2 * PAD);
/** Before a comment, which begins something new. */
const GAP = 12;
const VIEW_HEIGHT = ROWS * CELL_HEIGHT + 2 * GAP;
const HEIGHT = BAR + VIEW_HEIGHT + PAD;
/** From a row's bottom up to where its letters stand. */
const DESCENT = 6;

// Seconds.
const LETTER = 0.022;
const BREATH = 0.25;
const THOUGHT = 0.8;
const READ_LINE = 0.3;
const READ_AT_MOST = 2.4;
const END = 7;

const ESCAPE = "\x1b";
const COLOUR = new RegExp(`^${ESCAPE}\\[(\\d+)m$`);
const LOOKS = new RegExp(`(${ESCAPE}\\[\\d+m|\\[REDACTED:[^\\]]+\\])`);
const PROMPT = "\x1b[32m$\x1b[39m ";
const PROMPT_WIDTH = 2;
/** A line that asks, and what was answered at its end, where that was shown. */
const QUESTION = /^(.*(?:\[y\/N\]|\(not shown\):) )(.*)$/;
const FONTS = [
  "ui-monospace,SFMono-Regular,Menlo,Consolas",
  "'DejaVu Sans Mono','Liberation Mono',monospace",
];
// Every text has a contrast of seven to one or more.
const COLOURS = `
svg{font:14px ${FONTS.join()}}
text{fill:#c9d1d9;white-space:pre}
.typed{fill:#fff}
.comment{fill:#79c0ff}
.sgr32{fill:#7ee787}
.sgr1{font-weight:bold}
.mask{fill:#ffd866;font-weight:bold}
.window{fill:#161b22}
.edge{fill:none;stroke:#444c56}
.dot{fill:#444c56}
.cover{opacity:0}`;

/** One property or two of one group, at moments in seconds. */
interface Move {
  readonly name: string;
  readonly frames: readonly (readonly [seconds: number, style: string])[];
}

/** What is drawn, row by row, and when it is seen. */
class Film {
  readonly #drawn: string[] = [];
  readonly #moves: Move[] = [];
  readonly #scrolls: [seconds: number, style: string][] = [[0, "transform:none"]];
  #now = BREATH;
  #bottom = 0;

  wait(seconds: number): void {
    this.#now += seconds;
  }

  gap(): void {
    if (this.#bottom > 0) this.#bottom += GAP;
  }

  /** Lines that appear now; the window scrolls where they would be below it. */
  show(lines: readonly string[], kind = ""): void {
    this.#draw(
      "",
      [
        [0, "opacity:0"],
        [this.#now, "opacity:1"],
      ],
      lines.map((line) => this.#row(line, kind)),
    );
    if (this.#bottom > VIEW_HEIGHT)
      this.#scrolls.push([this.#now, `transform:translateY(${VIEW_HEIGHT - this.#bottom}px)`]);
  }

  /** What is typed appears letter by letter: a cover moves away from it. */
  type(text: string, kind: string): void {
    this.show([PROMPT + text], kind);
    const begin = this.#now + BREATH;
    const end = begin + text.length * LETTER;
    const moved = `transform:translateX(${round(text.length * CELL_WIDTH)}px)`;
    const shown = this.#now;
    this.#now = end + BREATH;
    const frames: Move["frames"] = [
      [0, "opacity:0"],
      [shown, "opacity:1"],
      [begin, `transform:none;animation-timing-function:steps(${text.length})`],
      [end, moved],
      [this.#now, `opacity:0;${moved}`],
    ];
    const place = `x="${column(PROMPT_WIDTH)}" y="${this.#bottom - CELL_HEIGHT}" height="${CELL_HEIGHT}"`;
    this.#draw(" cover", frames, [
      `<rect class="window" ${place} width="${WIDTH}"/>`,
      this.#cursor(PROMPT_WIDTH),
    ]);
  }

  /** Adds an answer to the line that was shown last. */
  answer(answer: string, after: number): void {
    this.wait(THOUGHT);
    const frames: Move["frames"] = [
      [0, "opacity:0"],
      [this.#now, "opacity:1"],
    ];
    this.#draw("", frames, [this.#text(answer, after, "typed")]);
    this.wait(BREATH);
  }

  /** The prompt that waits at the end; then the file. */
  end(title: string, description: string): string {
    this.show([PROMPT]);
    this.#drawn.push(this.#cursor(PROMPT_WIDTH));
    const seconds = this.#now + END;
    const share = (at: number) => `${round((100 * at) / seconds)}%`;
    const keyframes = [...this.#moves, { name: "scroll", frames: this.#scrolls }].map(({ name, frames }) => {
      const rules = frames.map(
        ([at, style], i) => `${share(at)}${i === frames.length - 1 ? ",to" : ""}{${style}}`,
      );
      return `@keyframes ${name}{${rules.join("")}}`;
    });
    const last = this.#scrolls.at(-1)?.[1] ?? "";
    return `${[
      `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
        `role="img" aria-labelledby="title text" xml:space="preserve">`,
      `<title id="title">${escaped(title)}</title>`,
      `<desc id="text">${escaped(description)}</desc>`,
      `<style>${COLOURS}`,
      `@media (prefers-reduced-motion:no-preference){.move{animation:${round(seconds)}s step-end infinite}}`,
      ...keyframes,
      "</style>",
      `<clipPath id="view"><rect x="${PAD}" y="${BAR}" width="${WIDTH - 2 * PAD}" height="${VIEW_HEIGHT}"/></clipPath>`,
      `<rect class="window" width="${WIDTH}" height="${HEIGHT}" rx="10"/>`,
      `<rect class="edge" x=".5" y=".5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="9.5"/>`,
      ...[0, 1, 2].map((dot) => `<circle class="dot" cx="${PAD + 4 + 18 * dot}" cy="18" r="5.5"/>`),
      `<g clip-path="url(#view)"><g transform="translate(0 ${BAR})">`,
      `<g class="move" style="animation-name:scroll;${last}">`,
      ...this.#drawn,
      "</g></g></g>",
      "</svg>",
    ].join("\n")}\n`;
  }

  #draw(kind: string, frames: Move["frames"], elements: readonly string[]): void {
    const name = `m${this.#moves.length}`;
    this.#moves.push({ name, frames });
    this.#drawn.push(`<g class="move${kind}" style="animation-name:${name}">`, ...elements, "</g>");
  }

  #row(line: string, kind: string): string {
    if (withoutColours(line).length > COLUMNS)
      throw new Error(`longer than ${COLUMNS} columns, and it would be broken: ${line}`);
    this.#bottom += CELL_HEIGHT;
    return this.#text(line, 0, kind);
  }

  /** Text in the last row. Its width is said, so that columns stand below each other in whatever font. */
  #text(text: string, from: number, kind: string): string {
    const spans = coloured(text);
    const length = spans.reduce((sum, span) => sum + span.text.length, 0);
    if (length === 0) return "";
    const place = `x="${column(from)}" y="${this.#bottom - DESCENT}" textLength="${round(length * CELL_WIDTH)}"`;
    const inner = spans.map((span) => {
      const word = escaped(span.text);
      const look = span.look || (word.startsWith("[REDACTED:") ? "mask" : kind);
      return look === "" ? word : `<tspan class="${look}">${word}</tspan>`;
    });
    return `<text ${place}>${inner.join("")}</text>`;
  }

  #cursor(at: number): string {
    const place = `x="${column(at)}" y="${this.#bottom - CELL_HEIGHT + 2}"`;
    return `<rect fill="#c9d1d9" ${place} width="${CELL_WIDTH}" height="${CELL_HEIGHT - 3}"/>`;
  }
}

/** The whole file. */
export function sessionSvg(exchanges: readonly Exchange[]): string {
  const film = new Film();
  for (const { typed, lines } of exchanges) {
    const isComment = typed.startsWith("#");
    if (isComment) film.gap();
    film.type(typed, isComment ? "comment" : "typed");
    const asked = lines.findIndex((line) => QUESTION.test(line));
    if (asked !== -1) {
      const [, question = "", answer = ""] = QUESTION.exec(lines[asked] ?? "") ?? [];
      film.show([...lines.slice(0, asked), question]);
      film.answer(answer, question.length);
    }
    const rest = lines.slice(asked + 1);
    if (rest.length > 0) film.show(rest);
    film.wait(isComment ? THOUGHT : Math.min(READ_AT_MOST, THOUGHT + lines.length * READ_LINE));
  }
  const transcript = exchanges.flatMap(({ typed, lines }) => [`$ ${typed}`, ...lines.map(withoutColours)]);
  return film.end("A session of vault-run in a terminal", transcript.join("\n"));
}

/** What has one look: the numbers of the colours that the terminal was given, and masks, which are marked here. */
function coloured(line: string): { text: string; look: string }[] {
  const spans: { text: string; look: string }[] = [];
  let look = "";
  for (const part of line.split(LOOKS)) {
    const number = COLOUR.exec(part)?.[1];
    if (number !== undefined) look = ["22", "39"].includes(number) ? "" : `sgr${number}`;
    else if (part !== "") spans.push({ text: part, look });
  }
  return spans;
}

function withoutColours(line: string): string {
  return stripVTControlCharacters(line);
}

function column(at: number): number {
  return round(PAD + at * CELL_WIDTH);
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

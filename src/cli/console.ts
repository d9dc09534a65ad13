import { fstatSync, writeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { leadsNowhere, writtenWhole } from "../launch/standard-streams.ts";
import { withoutControls } from "../vault/names.ts";
import { systemCode, VaultError } from "../vault-error.ts";

// The terminal contract, all of it: data that was asked for goes to stdout; talk, warnings and errors go to stderr. Talk
// has the program's name before it, lower case, no full stop. Nothing is asked unless stdin and stderr are terminals.
// Colour and progress appear on a terminal only, colour never with NO_COLOR. Control characters that come from records,
// paths or git are shown as escapes, so that no text from elsewhere can drive the terminal.

const STDIN = 0;
const STDERR = 2;
/** Of longer cells, which some stranger's line may have, the column does not take the width. */
const WIDEST_COLUMN = 200;

interface TerminalStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ConsoleStreams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
}

export class Console {
  readonly #streams: ConsoleStreams;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #progressShown = false;
  #isUnbuffered = false;
  #isWatched = false;

  constructor(streams: ConsoleStreams, env: Readonly<Record<string, string | undefined>>) {
    this.#streams = streams;
    this.#env = env;
  }

  get streams(): ConsoleStreams {
    return this.#streams;
  }

  /**
   * Standard input, to be read. Node takes a folder there for an empty file.
   *
   * @throws {VaultError} `disk` where it is a folder.
   */
  input(): ConsoleStreams["stdin"] {
    if (fstatSync(STDIN).isDirectory())
      throw new VaultError(
        "disk",
        "standard input is a folder",
        "give a file, or pipe in what is to be read",
      );
    return this.#streams.stdin;
  }

  /** Whether a person can be asked something. */
  get canAsk(): boolean {
    return this.#streams.stdin.isTTY === true && this.#streams.stderr.isTTY === true;
  }

  /** Whether a person would type without seeing a question: input from the terminal, talk to somewhere else. */
  get isDeaf(): boolean {
    return this.#streams.stdin.isTTY === true && this.#streams.stderr.isTTY !== true;
  }

  /** Whether the terminal knows no control sequences: it would show them. */
  get isDumb(): boolean {
    return this.#env.TERM === "dumb";
  }

  /** How wide the window is that data goes to. Without a window, lines have no end. */
  get columns(): number {
    const { isTTY, columns = 0 } = this.#streams.stdout;
    return isTTY === true && columns > 0 ? columns : Number.POSITIVE_INFINITY;
  }

  /** One line of what was asked for. */
  print(line = ""): void {
    this.#streams.stdout.write(`${withoutControls(line)}\n`);
  }

  /** What was asked for, for programs. */
  printJson(value: unknown): void {
    this.#streams.stdout.write(`${jsonText(value, 2)}\n`);
  }

  /** Text of what was asked for that is in its final form. */
  printText(text: string): void {
    this.#streams.stdout.write(text);
  }

  /**
   * What must not be lost, a new key say.
   *
   * @throws {VaultError} `disk` where it did not leave whole, also where nobody reads it any more, or ever would.
   */
  async handOver(text: string): Promise<void> {
    if (leadsNowhere(this.#streams.stdout))
      throw notHandedOver("standard output is closed, or leads to /dev/null, where the key would be lost");
    const stdout = writtenWhole(this.#streams.stdout);
    // It is told to who waits, below.
    stdout.on("error", () => {});
    const error = await new Promise<unknown>((resolve) => stdout.write(text, resolve));
    if (!(error instanceof Error)) return;
    throw notHandedOver(`cannot write the key (${systemCode(error) ?? "error"})`);
  }

  /** Resolves once what was printed is written, or nobody reads it any more: for more than fits in memory. */
  async written(): Promise<void> {
    const { stdout } = this.#streams;
    if (stdout.writableNeedDrain && !stdout.destroyed)
      await new Promise<void>((resolve) => stdout.write("", () => resolve()));
  }

  /** One line of talk. */
  say(line: string): void {
    this.clearProgress();
    this.#talk(`vault-run: ${withoutControls(line)}\n`);
  }

  /** A line that belongs to the talk before it. */
  detail(line: string): void {
    this.clearProgress();
    this.#talk(`  ${withoutControls(line)}\n`);
  }

  /**
   * From now on, talk leaves standard error as it is: node's stream for it would make a pipe non-blocking, for the program
   * that this process is to become as well.
   */
  talkUnbuffered(): void {
    this.#isUnbuffered = true;
  }

  #talk(text: string): void {
    if (!this.#isUnbuffered) {
      this.#stderr().write(text);
      return;
    }
    try {
      writeSync(STDERR, text);
    } catch (error) {
      // Nobody reads it: the launch goes on.
      if (systemCode(error) === undefined) throw error;
    }
  }

  /** What cannot be shown there, for nobody reads it or the disk is full, is dropped: a launch goes on. */
  #stderr(): TerminalStream {
    const { stderr } = this.#streams;
    if (!this.#isWatched) stderr.on("error", () => {});
    this.#isWatched = true;
    return stderr;
  }

  /** The whole report of an error: what and about which thing, then the next step. */
  error(error: VaultError): void {
    this.say(error.message);
    this.detail(error.hint);
  }

  get showsProgress(): boolean {
    return this.#streams.stderr.isTTY === true && !this.isDumb;
  }

  /** A line that shows how far long work has come: replaced by the next, and gone before anything else is said. */
  progress(line: string): void {
    if (!this.showsProgress) return;
    this.#streams.stderr.write(`\r\x1b[K${cut(line, (this.#streams.stderr.columns || 80) - 1)}`);
    this.#progressShown = true;
  }

  clearProgress(): void {
    if (this.#progressShown) this.#streams.stderr.write("\r\x1b[K");
    this.#progressShown = false;
  }

  /** Emphasis that carries no information of its own. */
  #bold(text: string): string {
    const { NO_COLOR = "" } = this.#env;
    const isColourful = this.#streams.stdout.isTTY === true && NO_COLOR === "" && !this.isDumb;
    return isColourful ? `\x1b[1m${text}\x1b[22m` : text;
  }

  /** Columns as wide as their widest cell, within reason. In a window, what would not fit on the line ends with `…`. */
  table(rows: readonly (readonly string[])[]): void {
    this.openTable()(rows);
  }

  /** The same for rows that come in several parts: columns are as wide as any cell before. */
  openTable(): (rows: readonly (readonly string[])[]) => void {
    const widths: number[] = [];
    let isFirst = true;
    return (rows) => {
      for (const row of rows)
        for (const [i, cell] of row.entries())
          widths[i] = Math.max(widths[i] ?? 0, Math.min(cell.length, WIDEST_COLUMN));
      for (const row of rows) {
        const cells = row.map((cell, i) => cell.padEnd(widths[i] ?? 0));
        const line = cut(withoutControls(cells.join("  ").trimEnd()), this.columns);
        this.#streams.stdout.write(`${isFirst ? this.#bold(line) : line}\n`);
        isFirst = false;
      }
    };
  }
}

function notHandedOver(why: string): VaultError {
  return new VaultError(
    "disk",
    `${why}, so nothing was changed`,
    "look at where standard output goes, or name a file with --out",
  );
}

/** The same JSON in text that is safe on a terminal: control characters stand in strings alone, where escapes mean them. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).split("\n").map(withoutControls).join("\n");
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}

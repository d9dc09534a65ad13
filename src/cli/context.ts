import type { SignalSource } from "../launch/child.ts";
import type { Machine } from "../vault/machine.ts";
import { VaultError } from "../vault-error.ts";
import type { Console } from "./console.ts";
import type { OptionValues } from "./words.ts";

/** What a command gets: its words, already checked against its table entry, and its surroundings. */
export class CommandContext {
  readonly machine: Machine;
  readonly console: Console;
  readonly signals: SignalSource;
  readonly #values: OptionValues;
  readonly #words: readonly string[];

  constructor(
    machine: Machine,
    console: Console,
    signals: SignalSource,
    values: OptionValues,
    words: readonly string[],
  ) {
    this.machine = machine;
    this.console = console;
    this.signals = signals;
    this.#values = values;
    this.#words = words;
  }

  /** A positional argument that the verb needs. */
  word(index: number): string {
    const word = this.#words[index];
    if (word === undefined) throw new TypeError("a word that the verb's table does not promise");
    return word;
  }

  findWord(index: number): string | undefined {
    return this.#words[index];
  }

  /** All positional arguments, of a verb that takes any number. */
  words(): readonly string[] {
    return this.#words;
  }

  text(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === "string" ? value : undefined;
  }

  /** The values of an option that may be repeated. */
  texts(option: string): readonly string[] {
    const value = this.#values[option];
    return Array.isArray(value) ? value : [];
  }

  has(option: string): boolean {
    return this.#values[option] === true;
  }

  /** Which of two a person wants. Without one to ask, and with `--yes`, the first. */
  async prefersSecond(question: string, choices: readonly [string, string]): Promise<boolean> {
    if (this.has("yes") || !this.console.canAsk) return false;
    const { askWhich } = await import("./prompt.ts");
    const at = await askWhich(this.console, question, choices);
    if (at === undefined) throw canceled();
    return at === 1;
  }

  /**
   * Asks for what nobody may answer but a person, or `--yes`.
   *
   * @param matter what it is about, for where nobody can be asked.
   */
  confirmByPerson(question: string, matter: string): Promise<void> {
    if (this.has("yes") || this.console.canAsk) return this.confirm(question);
    const hint = "answer at a terminal, or pass --yes if that is what you want";
    throw new VaultError("no-terminal", matter, hint);
  }

  /** Asks for confirmation where there is a person to ask. Without one, and with `--yes`, the answer is yes. */
  async confirm(question: string): Promise<void> {
    if (this.has("yes") || !this.console.canAsk) return;
    const { askYes } = await import("./prompt.ts");
    if (!(await askYes(this.console, question))) throw canceled();
  }
}

function canceled(): VaultError {
  return new VaultError("canceled", "canceled", "nothing was changed");
}

import type { ReadStream } from "node:tty";
import type { SignalSource } from "../launch/child.ts";
import { ENDING, listen, send } from "../launch/signals.ts";
import { withoutControls } from "../vault/names.ts";
import { systemCode, VaultError } from "../vault-error.ts";
import type { Console } from "./console.ts";

// Prompts that never show what is typed. The terminal is read in raw mode, byte by byte, into a buffer that is
// overwritten afterwards; its mode is restored whatever happens, also where a signal ends the program. Bracketed paste
// is switched on while asking, so that a pasted private key arrives whole: without it the lines after the first would be
// left for the shell to run.

/** Who is asked, and what may end the program meanwhile. */
export interface Person {
  readonly console: Console;
  readonly signals: SignalSource;
}

const ENTER = 0x0d;
const LINE_FEED = 0x0a;
const ESCAPE = 0x1b;
const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";
const STRAY_INPUT_MS = 60;

/**
 * Asks for what is not to be shown. Resolves to its bytes, without the final Enter.
 *
 * @param instead another way to give it, for a terminal that cannot say where a paste ends.
 */
export async function askHidden(
  { console, signals }: Person,
  question: string,
  instead: string,
): Promise<Buffer> {
  const input = terminal(console);
  const { stderr } = console.streams;
  const [pasteOn, pasteOff] = console.isDumb ? ["", ""] : ["\x1b[?2004h", "\x1b[?2004l"];
  const restore = () => {
    input.setRawMode(false);
    stderr.write(`${pasteOff}\n`);
  };
  const listening = listen(signals, [...ENDING], (signal) => {
    listening.stop();
    restoreIfThere(restore);
    // Nobody else listens: it ends the program as if it had not been heard.
    send(process.pid, signal);
  });
  // Raw first: what is typed once the question shows must not be echoed, nor edited by the terminal's own line mode.
  input.setRawMode(true);
  stderr.write(`${withoutControls(question)}: ${pasteOn}`);
  input.resume();
  const line = new HiddenLine();
  try {
    await readUntil(input, (chunk) => line.add(chunk));
    await refuseStrayLines(input, line, instead);
    return line.value();
  } finally {
    listening.stop();
    input.pause();
    restore();
  }
}

/** After a hangup there is no terminal any more. */
function restoreIfThere(restore: () => void): void {
  try {
    restore();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/** Asks yes or no; anything but yes is no. */
export async function askYes(console: Console, question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await askLine(console, `${withoutControls(question)} [y/N] `));
}

/** Asks for one of a few choices, by its number from 1. Anything else is none of them. */
export async function askWhich(
  console: Console,
  question: string,
  choices: readonly string[],
): Promise<number | undefined> {
  const list = choices.map((choice, at) => `  ${at + 1}: ${withoutControls(choice)}\n`).join("");
  const numbers = choices.map((_, at) => String(at + 1));
  const answer = await askLine(console, `${withoutControls(question)}\n${list}[${numbers.join("/")}] `);
  const at = numbers.indexOf(answer);
  return at === -1 ? undefined : at;
}

async function askLine(console: Console, question: string): Promise<string> {
  const input = terminal(console);
  const { stderr } = console.streams;
  stderr.write(question);
  let answer = "";
  input.resume();
  try {
    await readUntil(input, (chunk) => {
      answer += chunk.toString("utf8");
      return answer.includes("\n");
    });
  } catch (error) {
    // Ctrl-D ends no line on the terminal.
    stderr.write("\n");
    throw error;
  } finally {
    input.pause();
  }
  return answer.trim();
}

function terminal(console: Console): ReadStream {
  if (!console.canAsk) throw new TypeError("nothing can be asked without a terminal");
  return console.streams.stdin as ReadStream;
}

function readUntil(input: ReadStream, isDone: (chunk: Buffer) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      input.off("data", onData);
      input.off("end", onEnd);
    };
    const onEnd = () => {
      stop();
      reject(canceled());
    };
    const onData = (chunk: Buffer) => {
      try {
        if (!isDone(chunk)) return;
      } catch (error) {
        stop();
        reject(error);
        return;
      }
      stop();
      resolve();
    };
    input.on("data", onData);
    input.on("end", onEnd);
  });
}

/** Lines that arrive on their own right behind the first were pasted: they must not be left for the shell. */
async function refuseStrayLines(input: ReadStream, line: HiddenLine, instead: string): Promise<void> {
  let stray = line.hasRest;
  const swallow = () => {
    stray = true;
  };
  input.on("data", swallow);
  await new Promise((resolve) => setTimeout(resolve, STRAY_INPUT_MS));
  input.off("data", swallow);
  if (!stray) return;
  throw new VaultError(
    "bad-value",
    "more than one line was pasted, and this terminal does not say where a paste ends",
    instead,
  );
}

class HiddenLine {
  #bytes: number[] = [];
  #escape = "";
  #pasting = false;
  hasRest = false;

  /** Takes what was typed. True once Enter was. */
  add(chunk: Buffer): boolean {
    for (const [index, byte] of chunk.entries()) {
      if (this.#takeEscape(byte)) continue;
      if (!this.#pasting && (byte === ENTER || byte === LINE_FEED)) {
        this.hasRest = index < chunk.length - 1;
        return true;
      }
      this.#take(byte);
    }
    return false;
  }

  value(): Buffer {
    const value = Buffer.from(this.#bytes);
    this.#bytes.fill(0);
    this.#bytes = [];
    return value;
  }

  /** Escape sequences steer (paste marks) or are dropped (arrow keys); they are never part of a value. */
  #takeEscape(byte: number): boolean {
    if (this.#escape === "" && byte !== ESCAPE) return false;
    this.#escape += String.fromCharCode(byte);
    const isComplete =
      this.#escape.length > 2
        ? byte >= 0x40 && byte <= 0x7e
        : this.#escape.length === 2 && byte !== 0x5b && byte !== 0x4f;
    if (this.#escape === PASTE_BEGIN) this.#pasting = true;
    if (this.#escape === PASTE_END) this.#pasting = false;
    if (isComplete) this.#escape = "";
    return true;
  }

  #take(byte: number): void {
    if (this.#pasting) this.#bytes.push(byte === ENTER ? LINE_FEED : byte);
    else if (byte === 0x03 || (byte === 0x04 && this.#bytes.length === 0)) throw canceled();
    else if (byte === 0x7f || byte === 0x08) this.#eraseCharacter();
    else if (byte === 0x15) this.#bytes = [];
    else if (byte >= 0x20 || byte === 0x09) this.#bytes.push(byte);
  }

  /** One character back: in UTF-8 the bytes 10xxxxxx continue the one before them. */
  #eraseCharacter(): void {
    let last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#bytes.pop();
  }
}

function canceled(): VaultError {
  return new VaultError("canceled", "canceled", "nothing was changed");
}

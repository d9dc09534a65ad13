import type { Readable, Writable } from "node:stream";
import { diskError, systemCode, VaultError } from "../vault-error.ts";

// One of the child's streams on its way to ours, redacted. Order is kept; a reader that is slow stops the child through
// its pipe rather than filling our memory; a reader that is gone closes the child's pipe, as it would have without us.

const SILENCE_MS = 50;
/** More than a pipe, a socket pair or a terminal holds, with what node has read ahead. */
const WAITING_MOST_BYTES = 2 * 1024 * 1024;

/** What redacts one stream; see the module `redact`. */
export interface Filter {
  /** In pieces, so that they need not be copied to be joined. */
  pieces(chunk: Uint8Array): Uint8Array[];
  idle(): Uint8Array;
  end(): Uint8Array;
}

export class RedactedStream {
  readonly #from: Readable;
  readonly #to: Writable;
  readonly #filter: Filter;
  #timer: NodeJS.Timeout | undefined;
  #passedBytes = 0;
  #ended = false;
  #readerGone = false;
  #failure: Error | undefined;
  /** Why not all was written, where it is no reader gone. */
  #unwritten: string | undefined;
  /** What ends the waits for the reader. */
  readonly #waits: (() => void)[] = [];
  readonly #finished: Promise<void>;

  constructor(from: Readable, to: Writable, filter: Filter, warn: (text: string) => void) {
    this.#from = from;
    this.#to = to;
    this.#filter = filter;
    this.#finished = new Promise((resolve) => {
      // It may be over before we look: a filter that is told to end while it opens what it is to mask.
      if (from.destroyed) resolve();
      from.on("end", resolve);
      from.on("close", resolve);
      // The child's end of a socket pair can vanish with ECONNRESET, a pseudo-terminal's with EIO: to us that is its end.
      from.on("error", (error) => {
        this.#failure = error;
        resolve();
      });
    });
    from.on("data", (chunk: Buffer) => this.#pass(chunk));
    to.on("drain", () => {
      from.resume();
      this.#stopWaiting();
    });
    to.on("error", (error) => this.#onReaderGone(error, warn));
  }

  /**
   * Passes on all there is, to the end of the stream.
   *
   * @throws {VaultError} `disk` where the stream could not be read to its end, or not all of it be written.
   */
  async passAll(): Promise<void> {
    await this.#finished;
    await this.#close();
    if (this.#failure !== undefined) throw diskError(this.#failure, "read on", "standard input");
    if (this.#unwritten !== undefined) {
      const what = `cannot write the output (${this.#unwritten})`;
      throw new VaultError("disk", what, "look at where standard output goes");
    }
  }

  /** Calls `look` whenever something of the stream, or its end, was read, in that turn of the event loop. */
  watch(look: () => void): void {
    for (const event of ["data", "end", "close", "error"]) this.#from.on(event, look);
  }

  /** Passes on what has been written by now, and of what is held back as much as at a pause. */
  async settle(): Promise<void> {
    await this.#quiet(() => true);
    this.#send([this.#filter.idle()]);
    if (this.#to.writableNeedDrain && !this.#readerGone) await this.#drained();
  }

  /**
   * Passes on what the exited child left in the pipe, then what the redactor still holds. A grandchild that keeps the
   * pipe open is not waited for.
   */
  async finish(): Promise<void> {
    let isOpen = true;
    void this.#finished.then(() => {
      isOpen = false;
    });
    await this.#quiet(() => isOpen);
    await this.#close();
  }

  /** Waits for the reader no longer: what it has not taken is lost. */
  giveUp(): void {
    this.#readerGone = true;
    this.#from.destroy();
    this.#stopWaiting();
  }

  /**
   * Every turn of the event loop reads what the pipe has. Two turns without a byte, while we are not held up by our own
   * reader, mean that all that was written has passed; so do more bytes than can have waited: someone goes on writing.
   */
  async #quiet(isOpen: () => boolean): Promise<void> {
    const most = this.#passedBytes + WAITING_MOST_BYTES;
    for (let quiet = 0; isOpen() && quiet < 2 && this.#passedBytes < most; ) {
      const before = this.#passedBytes;
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#to.writableNeedDrain && !this.#readerGone) await this.#drained();
      quiet = this.#passedBytes === before ? quiet + 1 : 0;
    }
  }

  async #close(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#from.destroy();
    this.#send([this.#filter.end()]);
    await this.#flushed();
  }

  #pass(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#passedBytes += chunk.length;
    this.#send(this.#filter.pieces(chunk));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send([this.#filter.idle()]), SILENCE_MS);
  }

  #send(pieces: readonly Uint8Array[]): void {
    for (const bytes of pieces) {
      if (bytes.length === 0 || this.#readerGone) continue;
      if (!this.#to.write(bytes)) this.#from.pause();
    }
  }

  /** Whatever keeps us from writing, the child must not run on unread: its pipe is closed. */
  #onReaderGone(error: Error, warn: (text: string) => void): void {
    if (this.#readerGone) return;
    this.#readerGone = true;
    this.#stopWaiting();
    this.#from.destroy();
    const code = systemCode(error);
    if (code === "EPIPE" || code === "ECONNRESET") return;
    this.#unwritten = code ?? "error";
    warn(`the program's output cannot be passed on (${this.#unwritten})`);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => this.#waits.push(resolve));
  }

  #stopWaiting(): void {
    for (const stop of this.#waits.splice(0)) stop();
  }

  /** A drain is said only where a write was told to wait: what is asked for here is that the last one has been made. */
  #flushed(): Promise<void> {
    if (this.#readerGone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waits.push(resolve);
      this.#to.write("", () => resolve());
    });
  }
}

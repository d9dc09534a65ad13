import { isWritable, Writable } from "node:stream";
import { VaultError } from "../vault-error.ts";

/** What a reader may leave unread once it is not waited for: as much as can have been on its way. */
const UNREAD_MOST_BYTES = 2 * 1024 * 1024;

/** Where a program's redacted output goes. */
export interface Destination {
  readonly stream: Writable;
  /** Whether the program is to end with it. This process's own streams are left alone, and what is captured cannot fail. */
  readonly isWatched: boolean;
}

/** Passes bytes on to a stream that is not ours: nothing stays behind that listens to it, and it is never ended. */
export class PassedOn extends Writable {
  readonly #to: Writable;
  readonly #failed: ((error: Error) => void) | undefined;
  readonly #name: string;
  readonly #stopWatching: () => void;
  #isPatient = true;
  #unreadBytes = 0;
  /** Answers the write that the stream has not taken yet. */
  #taken: ((error?: Error | null) => void) | undefined;

  /**
   * @param name what the stream takes of the program.
   * @param failed told once where a watched stream fails or is closed: one that is destroyed never answers the write that
   *   it has not taken.
   */
  constructor({ stream, isWatched }: Destination, name: string, failed: (error: Error) => void) {
    super();
    this.#to = stream;
    this.#name = name;
    this.#failed = isWatched ? failed : undefined;
    this.#stopWatching = isWatched ? watch(stream, (error) => this.#fail(error)) : () => {};
    if (isWatched && isWritable(stream) === false) this.#fail();
  }

  /**
   * From now on the stream's reader is not waited for: what there is is handed to the stream whole, for when it is read.
   * Of a reader that leaves too much of it the rest is not kept.
   */
  hurry(): void {
    this.#isPatient = false;
    this.#answer();
  }

  /** Listens to the stream no longer. */
  release(): void {
    this.#stopWatching();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#taken = done;
    if (isWritable(this.#to) === false) {
      this.#fail();
      return;
    }
    try {
      this.#unreadBytes += chunk.length;
      this.#to.write(chunk, (error) => {
        this.#unreadBytes -= chunk.length;
        if (error) this.#fail(error);
        else if (this.#taken === done) this.#answer();
      });
      if (!this.#isPatient) this.#answer(this.#unreadBytes > UNREAD_MOST_BYTES ? gone() : undefined);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error("the stream failed", { cause: error }));
    }
  }

  #answer(error?: Error | null): void {
    const done = this.#taken;
    this.#taken = undefined;
    done?.(error);
  }

  /** @param error what the stream failed with; absent where it was ended or destroyed. */
  #fail(error?: Error): void {
    if (this.destroyed) return;
    // It is told once: where the failure is, what passes output on here sees a reader gone.
    this.destroy(this.#failed === undefined && error !== undefined ? error : gone());
    this.#failed?.(error ?? closed(this.#name));
  }
}

function gone(): Error {
  return Object.assign(new Error("the stream takes no more"), { code: "EPIPE" });
}

function closed(name: string): VaultError {
  return new VaultError(
    "disk",
    `the stream that takes the program's ${name} was closed before the program had ended`,
    "keep it open until the run is over; to end the program, abort the run's signal",
  );
}

type Told = (error?: Error) => void;
const watched = new WeakMap<Writable, { readonly told: Set<Told>; stop(): void }>();

/** One listener for all runs that write into a stream: it would complain of many. @returns what ends it. */
function watch(stream: Writable, tell: Told): () => void {
  const watching = watched.get(stream) ?? listen(stream);
  watching.told.add(tell);
  return () => {
    if (watching.told.delete(tell) && watching.told.size === 0) watching.stop();
  };
}

function listen(stream: Writable) {
  const told = new Set<Told>();
  const onError = (error: Error) => {
    for (const tell of [...told]) tell(error);
  };
  const onClose = () => {
    for (const tell of [...told]) tell();
  };
  stream.on("error", onError).on("close", onClose);
  const watching = {
    told,
    stop() {
      stream.off("error", onError).off("close", onClose);
      watched.delete(stream);
    },
  };
  watched.set(stream, watching);
  return watching;
}

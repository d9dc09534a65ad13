import { Worker } from "node:worker_threads";

// Runs inputs in a thread of their own, and ends it where one of them never ends, or takes all memory: the input is known all the same,
// because it stands in memory that both share before it is run.

const HEAD_BYTES = 8;
const MOST_INPUT_BYTES = 1024 * 1024;
const MAX_HEAP_MB = 1024;
const LOOK_MS = 250;

/** The input that a thread is at. */
export class SharedInput {
  readonly memory: SharedArrayBuffer;
  /** How many inputs were begun and ended, in one number; the length of the last. */
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + MOST_INPUT_BYTES)) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, HEAD_BYTES);
  }

  begin(input: Uint8Array): void {
    const kept = input.subarray(0, MOST_INPUT_BYTES);
    this.#bytes.set(kept);
    this.#head[1] = kept.length;
    Atomics.add(this.#head, 0, 1);
  }

  end(): void {
    Atomics.add(this.#head, 0, 1);
  }

  /** Odd while an input is run. */
  get steps(): number {
    return Atomics.load(this.#head, 0);
  }

  read(): Buffer {
    return Buffer.from(this.#bytes.slice(0, this.#head[1]));
  }
}

/** What the thread posted at its end, or why it came to none, and at which input. */
export type Outcome = { readonly report: unknown } | { readonly broken: string; readonly input: Buffer };

/**
 * @param script of the thread; is given `data` and `memory`, makes a `SharedInput` of it, and posts one message when it is done.
 * @param maxMs of one input.
 */
export function watch(script: URL, data: object, maxMs: number): Promise<Outcome> {
  const shared = new SharedInput();
  const worker = new Worker(script, {
    workerData: { ...data, memory: shared.memory },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  return new Promise((resolve) => {
    let [steps, since] = [0, performance.now()];
    const looking = setInterval(() => {
      const now = shared.steps;
      if (now !== steps || now % 2 === 0) [steps, since] = [now, performance.now()];
      else if (performance.now() - since > maxMs)
        finish({ broken: `it did not end in ${maxMs} ms`, input: shared.read() });
    }, LOOK_MS);
    const finish = (outcome: Outcome) => {
      clearInterval(looking);
      resolve(outcome);
      void worker.terminate();
    };
    worker.on("message", (report) => finish({ report }));
    worker.on("error", (error) => finish({ broken: String(error.stack ?? error), input: shared.read() }));
    // Before any message: nothing is left that could bring the input to an end.
    worker.on("exit", () => finish({ broken: "it waits for what never comes", input: shared.read() }));
  });
}

import type { ServerContext } from "@modelcontextprotocol/server";

const EVERY_MS = 1000;

/** Tells a client that asked for it how far a call has come, once a second. */
export class Progress {
  readonly #timer: NodeJS.Timeout | undefined;
  #seconds = 0;
  #bytes = 0;

  constructor({ mcpReq }: ServerContext) {
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken === undefined) return;
    this.#timer = setInterval(() => {
      this.#seconds++;
      const message = `${this.#seconds} s, ${this.#bytes} bytes of output`;
      const params = { progressToken, progress: this.#seconds, message };
      // A client that is gone is told nothing.
      mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
    }, EVERY_MS);
  }

  wrote(bytes: number): void {
    this.#bytes = bytes;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

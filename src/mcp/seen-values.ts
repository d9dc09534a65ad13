import type { Leak, RedactedStream, Redactor, SecretValue } from "../redact/index.ts";
import type { Secret } from "../vault/secret.ts";

/**
 * Every value that this server has opened. Whatever goes back to the client is looked through for all of them, not only
 * for those of the call: what one run has put into a file, the next one may print.
 */
export class SeenValues {
  readonly #values = new Map<string, SecretValue>();

  /** @param forms other spellings in which the value is about to leave, as one header say. */
  add(secret: Secret, forms: readonly string[] = []): void {
    for (const value of [Buffer.from(secret.bytes()), ...forms]) this.#add({ name: secret.ref, value });
  }

  /** The agent's own key: what runs as the same user may find its file, and print it. */
  addIdentity(agent: string, identity: string): void {
    this.#add({ name: `identity/${agent}`, value: identity });
  }

  #add({ name, value }: SecretValue): void {
    this.#values.set(`${name} ${Buffer.from(value).toString("base64")}`, { name, value });
  }

  /** What one call's answer is looked through with. */
  async redaction(): Promise<Redaction> {
    const { createRedactor } = await import("../redact/index.ts");
    return new Redaction(
      () => createRedactor([...this.#values.values()]),
      () => this.#values.size,
    );
  }

  /** Masks what a text has of them. */
  async mask(text: string): Promise<string> {
    return (await this.redaction()).text(text, "text");
  }
}

/**
 * Looks for all that was seen before the call began, as its output comes; and in what was kept of it for what calls beside
 * this one have opened meanwhile, and may have put where it was read.
 */
export class Redaction {
  readonly #make: () => Redactor;
  readonly #countSeen: () => number;
  readonly #first: Redactor;
  readonly #seenAtFirst: number;
  #late: Redactor | undefined;

  constructor(make: () => Redactor, countSeen: () => number) {
    this.#make = make;
    this.#countSeen = countSeen;
    this.#seenAtFirst = countSeen();
    this.#first = make();
  }

  stream(label: string): RedactedStream {
    return this.#first.stream(label);
  }

  text(text: string, label: string): string {
    return whole(this.#first.stream(label), Buffer.from(text)).toString("utf8");
  }

  /** All of the output has come: what is seen from now on, no part of it can hold. */
  end(): void {
    if (this.#countSeen() > this.#seenAtFirst) this.#late = this.#make();
  }

  /**
   * What was kept of a stream, fit to be shown; after `end()`.
   *
   * @param isCut whether it ends anywhere: what may be half a value there is left out.
   */
  kept(bytes: Buffer, label: string, isCut: boolean): Buffer {
    if (this.#late === undefined) return bytes;
    const stream = this.#late.stream(label);
    return isCut ? Buffer.from(stream.write(bytes)) : whole(stream, bytes);
  }

  leaks(): Leak[] {
    return [...this.#first.leaks(), ...(this.#late?.leaks() ?? [])];
  }
}

function whole(stream: RedactedStream, bytes: Buffer): Buffer {
  return Buffer.concat([stream.write(bytes), stream.end()]);
}

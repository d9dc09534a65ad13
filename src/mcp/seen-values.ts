import type { Leak, RedactedStream, Redactor, SecretValue } from "../redact/index.ts";
import type { Secret } from "../vault/secret.ts";

/** A model chooses a part of them, a user's name say, and could have any number made: what is built of them would grow. */
const MOST_FORMS = 100;

/**
 * Every value that this server has opened. Whatever goes back to the client is looked through for all of them, not only
 * for those of the call: what one run has put into a file, the next one may print.
 */
export class SeenValues {
  readonly #values = new Map<string, SecretValue>();
  readonly #forms = new Map<string, SecretValue>();
  #count = 0;

  /**
   * @param forms other spellings in which the value is about to leave, as one header say. The last of them are looked for
   *   whole; in an older one, what the value alone decides.
   */
  add(secret: Secret, forms: readonly string[] = []): void {
    this.#add(this.#values, { name: secret.ref, value: Buffer.from(secret.bytes()) });
    for (const value of forms) this.#add(this.#forms, { name: secret.ref, value });
    const [oldest] = this.#forms.keys();
    if (this.#forms.size > MOST_FORMS && oldest !== undefined) this.#forms.delete(oldest);
  }

  /** The agent's own key: what runs as the same user may find its file, and print it. */
  addIdentity(agent: string, identity: string): void {
    this.#add(this.#values, { name: `identity/${agent}`, value: identity });
  }

  #add(to: Map<string, SecretValue>, secret: SecretValue): void {
    const key = `${secret.name} ${Buffer.from(secret.value).toString("base64")}`;
    if (!to.delete(key)) this.#count++;
    to.set(key, secret);
  }

  /** What one call's answer is looked through with. */
  async redaction(): Promise<Redaction> {
    const { createRedactor } = await import("../redact/index.ts");
    return new Redaction(
      () => createRedactor([...this.#values.values(), ...this.#forms.values()]),
      () => this.#count,
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

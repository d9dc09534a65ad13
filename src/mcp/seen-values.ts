import type { Redactor, SecretValue } from "../redact/index.ts";
import type { Secret } from "../vault/secret.ts";

/**
 * Every value that this server has opened. Whatever goes back to the client is looked through for all of them, not only
 * for those of the call: what one run has put into a file, the next one may print.
 */
export class SeenValues {
  readonly #values = new Map<string, SecretValue>();

  /** @param forms other spellings in which the value is about to leave, as one header say. */
  add(secret: Secret, forms: readonly string[] = []): void {
    for (const value of [Buffer.from(secret.bytes()), ...forms])
      this.#values.set(`${secret.ref} ${Buffer.from(value).toString("base64")}`, { name: secret.ref, value });
  }

  /** The agent's own key: what runs as the same user may find its file, and print it. */
  addIdentity(agent: string, identity: string): void {
    this.#values.set("identity", { name: `identity/${agent}`, value: identity });
  }

  /** One that looks for all that was seen so far, and counts for itself. */
  async redactor(): Promise<Redactor> {
    const { createRedactor } = await import("../redact/index.ts");
    return createRedactor([...this.#values.values()]);
  }

  /** Masks what a text has of them. */
  async mask(text: string): Promise<string> {
    return maskedBy(await this.redactor(), text);
  }
}

export function maskedBy(redactor: Redactor, text: string): string {
  const stream = redactor.stream();
  return Buffer.concat([stream.write(Buffer.from(text)), stream.end()]).toString("utf8");
}

import type { Secret } from "../vault/secret.ts";

// Not in a field of the object, which debuggers and crash reporters would show.
const variables = new WeakMap<SecretEnvironment, ReadonlyMap<string, Secret>>();

/**
 * Variables and their values, as a launch would give them to a program. Prints, inspects and serialises as its masks;
 * `reveal()` is the way out: `spawn(command, args, { env: { ...process.env, ...environment.reveal() } })`.
 */
export class SecretEnvironment {
  /** The variables' names. */
  readonly names: readonly string[];

  constructor(secrets: ReadonlyMap<string, Secret>) {
    this.names = [...secrets.keys()];
    variables.set(this, secrets);
  }

  /** The value that stands in a variable; undefined where there is none of this name. */
  get(variable: string): Secret | undefined {
    return this.#secrets().get(variable);
  }

  /** The values as text, by variable. */
  reveal(): Record<string, string> {
    return Object.fromEntries([...this.#secrets()].map(([variable, secret]) => [variable, secret.reveal()]));
  }

  /** Overwrites the values. What `reveal()` made stays until it is collected. */
  dispose(): void {
    for (const secret of this.#secrets().values()) secret.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return JSON.stringify(this);
  }

  /** Masks, by variable. */
  toJSON(): Record<string, string> {
    return Object.fromEntries([...this.#secrets()].map(([variable, secret]) => [variable, `${secret}`]));
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `SecretEnvironment ${this.toString()}`;
  }

  #secrets(): ReadonlyMap<string, Secret> {
    return variables.get(this) ?? new Map();
  }
}

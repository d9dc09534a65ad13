import { formatRef } from "../vault/names.ts";
import type { Secret } from "../vault/secret.ts";
import { VaultError } from "../vault-error.ts";
import { MAX_STRING_BYTES } from "./child.ts";
import type { ChildDescriptors } from "./child-descriptors.ts";
import type { Libc } from "./libc.ts";
import type { Delivery } from "./select.ts";

/** What secrets are injected into. */
export interface Target {
  /** The child's environment: what it inherits, to which the secrets' variables are added. */
  readonly env: Record<string, string>;
  readonly descriptors: ChildDescriptors;
  /** Needed where one of the deliveries is a pipe. */
  readonly libc: Libc | undefined;
}

export interface Replacing {
  /** Whether a variable that is there already is an error. */
  readonly strictEnv: boolean;
  /** Told of each that is replaced. */
  readonly warn: (text: string) => void;
}

/**
 * Puts each secret where its delivery says: into a variable, or behind a descriptor whose path a variable holds.
 *
 * @throws {VaultError} where one does not fit there.
 */
export async function inject(
  deliveries: readonly Delivery[],
  values: readonly Secret[],
  target: Target,
  { strictEnv, warn }: Replacing,
): Promise<void> {
  const byRef = new Map(values.map((value) => [value.ref, value]));
  for (const { secret, variable, as } of deliveries) {
    const value = byRef.get(formatRef(secret));
    if (value === undefined) throw new TypeError("a delivery without its value");
    if (target.env[variable] !== undefined) {
      if (strictEnv) throw alreadySet(variable, value);
      warn(`${variable} of the parent's environment is replaced by ${value.ref}`);
    }
    target.env[variable] =
      as === "env" ? variableText(value, variable) : `/dev/fd/${await descriptorOf(value, as, target)}`;
  }
}

/** @returns the child's number of it. */
async function descriptorOf(
  value: Secret,
  as: "file" | "pipe",
  { descriptors, libc }: Target,
): Promise<number> {
  if (as === "file") return descriptors.addFile(value.bytes());
  if (libc === undefined) throw new TypeError("a pipe without the library that makes it");
  return descriptors.addPipe(value.bytes(), libc);
}

function alreadySet(variable: string, { ref }: Secret): VaultError {
  return new VaultError(
    "collision",
    `${variable} is set in the parent's environment, and ${ref} is to be injected as it`,
    `unset it, inject the secret under another variable (--env OTHER_NAME=${ref}), or leave --strict-env out`,
  );
}

function variableText(value: Secret, variable: string): string {
  if (!value.isText()) {
    throw new VaultError(
      "bad-value",
      `${value.ref} is binary and cannot stand in a variable`,
      `deliver it as a file: --file ${variable}=${value.ref}`,
    );
  }
  if (variable.length + value.bytes().length + 2 > MAX_STRING_BYTES) {
    throw new VaultError(
      "bad-value",
      `${value.ref} is too large for a variable (the system takes ${MAX_STRING_BYTES} bytes)`,
      `deliver it as a file: --file ${variable}=${value.ref}`,
    );
  }
  return value.reveal();
}

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { credentialKeyPath, KEY_TEXT_VARIABLE, KEY_VARIABLES } from "../vault/key-lookup.ts";
import { parseVariableName } from "../vault/names.ts";
import { systemCode, VaultError } from "../vault-error.ts";

export interface EnvironmentOptions {
  readonly cleanEnv: boolean;
  readonly pass: readonly string[];
}

const CLEAN = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TZ", "TMPDIR"]);

type Environment = Record<string, string>;
type Parent = Readonly<Record<string, string | undefined>>;

/**
 * What of the parent's environment the child starts from. Never there: the variables that lead to an identity, and any
 * other variable whose value holds the identity in use.
 */
export function inheritedEnvironment(
  parent: Parent,
  options: EnvironmentOptions,
  identity: string,
): Environment {
  const passed = new Set(options.pass.map(parseVariableName));
  const hidden = new Set(KEY_VARIABLES);
  if (credentialKeyPath(parent) !== undefined) hidden.add("CREDENTIALS_DIRECTORY");
  // Without a prototype: `constructor` and `__proto__` are variables like any other.
  const child: Environment = Object.create(null);
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || hidden.has(name) || value.includes(identity)) continue;
    if (!options.cleanEnv || passed.has(name) || CLEAN.has(name) || name.startsWith("LC_"))
      child[name] = value;
  }
  return child;
}

/** The variables of ours that hold the identity in use, or another one: a program can look at its parent's. */
export function identityVariables(parent: Parent, identity: string): string[] {
  return Object.entries(parent)
    .filter(
      ([name, value]) => value !== undefined && (name === KEY_TEXT_VARIABLE || value.includes(identity)),
    )
    .map(([name]) => name);
}

/**
 * Node reads arguments as UTF-8 and would pass others on with U+FFFD in them: the program would be asked for something
 * else.
 *
 * @throws {VaultError} `usage` for such an argument.
 */
export function requireUtf8Arguments(): void {
  if (isUtf8(readBytes("/proc/self/cmdline"))) return;
  throw new VaultError(
    "usage",
    "an argument is not UTF-8, and node cannot pass it on as it is",
    "name the file otherwise, or have a script hold the argument",
  );
}

/** Names in one warning the variables that node cannot pass on as they are. */
export function warnOfChanged(env: Environment, warn: (text: string) => void): void {
  const strings = readBytes("/proc/self/environ");
  if (!isUtf8(strings)) {
    const others = strings
      .toString("latin1")
      .split("\0")
      .filter((text) => !isUtf8(Buffer.from(text, "latin1")));
    const names = others.map((text) => text.split("=", 1)[0] ?? "").filter((name) => env[name] !== undefined);
    if (names.length > 0) warn(`not UTF-8, and changed on the way to the program: ${names.join(", ")}`);
  }
  strings.fill(0);
}

/** Nothing where there is no /proc. */
function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return Buffer.alloc(0);
  }
}

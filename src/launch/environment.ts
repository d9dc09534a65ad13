import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { credentialKeyPath, KEY_VARIABLES } from "../vault/key-lookup.ts";
import { parseVariableName } from "../vault/names.ts";
import { systemCode, VaultError } from "../vault-error.ts";

export interface EnvironmentOptions {
  readonly cleanEnv: boolean;
  readonly pass: readonly string[];
  /** Whether a variable of the parent that a secret would replace is an error. */
  readonly strictEnv: boolean;
}

const CLEAN = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TZ", "TMPDIR"]);

type Environment = Record<string, string>;

/**
 * What of the parent's environment the child starts from. Never there: the variables that lead to an identity, and any
 * other variable whose value holds the identity in use.
 */
export function inheritedEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  options: Pick<EnvironmentOptions, "cleanEnv" | "pass">,
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

/**
 * Node reads arguments and variables as UTF-8 and would pass others on with U+FFFD in them.
 *
 * @param warn told of such variables.
 * @throws {VaultError} `usage` for such an argument: the program would be asked for something else.
 */
export function requireUtf8(warn: (text: string) => void): void {
  if (!isUtf8(findBytes("/proc/self/cmdline"))) {
    throw new VaultError(
      "usage",
      "an argument is no UTF-8 text, and node cannot pass it on as it is",
      "name the file otherwise, or have a script hold the argument",
    );
  }
  const environment = findBytes("/proc/self/environ");
  if (!isUtf8(environment)) {
    const strings = environment.toString("latin1").split("\0");
    const others = strings.filter((text) => !isUtf8(Buffer.from(text, "latin1")));
    const names = others.map((text) => text.split("=", 1)[0] ?? "");
    warn(`no UTF-8 text, and changed on its way to the program: ${names.join(", ")}`);
  }
  environment.fill(0);
}

function findBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return Buffer.alloc(0);
  }
}

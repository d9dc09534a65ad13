import { credentialKeyPath, KEY_VARIABLES } from "../vault/key-lookup.ts";
import { parseVariableName } from "../vault/names.ts";

export interface EnvironmentOptions {
  readonly cleanEnv: boolean;
  readonly pass: readonly string[];
}

const CLEAN = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TZ", "TMPDIR"]);

type Environment = Record<string, string>;

/**
 * What of the parent's environment the child starts from. Never there: the variables that lead to an identity, and any
 * other variable whose value holds the identity in use.
 */
export function inheritedEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
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

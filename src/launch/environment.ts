import { join } from "node:path";
import { keyFileExists } from "../vault/key-file.ts";
import { KEY_VARIABLES, SYSTEMD_CREDENTIAL } from "../vault/key-lookup.ts";
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
  if (leadsToKey(parent.CREDENTIALS_DIRECTORY) && !passed.has("CREDENTIALS_DIRECTORY"))
    hidden.add("CREDENTIALS_DIRECTORY");
  const child: Environment = {};
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || hidden.has(name) || value.includes(identity)) continue;
    if (!options.cleanEnv || passed.has(name) || CLEAN.has(name) || name.startsWith("LC_"))
      child[name] = value;
  }
  return child;
}

function leadsToKey(credentials: string | undefined): boolean {
  return (
    credentials !== undefined && credentials !== "" && keyFileExists(join(credentials, SYSTEMD_CREDENTIAL))
  );
}

import { resolve } from "node:path";
import { keyFileExists } from "../vault/key-file.ts";
import { VaultError } from "../vault-error.ts";
import type { CommandContext } from "./context.ts";

/**
 * Where `--out` has a key file go: a path, or undefined for standard output. A place that is taken is refused here,
 * before anyone is asked or anything is made; `whatIsThere` says what most likely takes the default one.
 */
export function newKeyPath(
  context: CommandContext,
  fallback: string,
  whatIsThere: string,
): string | undefined {
  const out = context.text("out");
  if (out === "-") return undefined;
  const path = out === undefined ? fallback : resolve(context.machine.cwd, out);
  if (!keyFileExists(path)) return path;
  throw new VaultError(
    "exists",
    `${out === undefined ? whatIsThere : "a file"} is there already and is left alone: ${path}`,
    "move it away and run this again, or name another place with --out FILE",
  );
}

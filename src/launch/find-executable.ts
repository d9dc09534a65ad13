import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { systemCode } from "../vault-error.ts";
import { type Child, spawnFailure } from "./child.ts";

const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * Finds out what execvp(3) would say of the command: for when a shell starts it, whose own words would be another's.
 *
 * @throws {SpawnFailure} where there is no such program, or none that can be executed.
 */
export function requireExecutable({ command: [file], cwd, env }: Child): void {
  const folders = file.includes("/") ? [""] : (env.PATH ?? DEFAULT_PATH).split(delimiter);
  let code = "ENOENT";
  for (const folder of folders) {
    const found = refusalOf(resolve(cwd, join(folder, file)));
    if (found === undefined) return;
    // Like execvp: one that may not be executed is passed over for a later one, and else is the answer.
    if (found === "EACCES") code = found;
  }
  throw spawnFailure(code, file);
}

/** The code with which the file cannot be executed, undefined where it can. */
function refusalOf(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? undefined : "EACCES";
  } catch (error) {
    return systemCode(error) === "EACCES" ? "EACCES" : "ENOENT";
  }
}

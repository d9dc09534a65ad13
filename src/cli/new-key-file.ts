import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Plan } from "../admin/plan.ts";
import { Repository } from "../git/repository.ts";
import { diskError, VaultError } from "../vault-error.ts";
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
  if (!isTaken(path)) return path;
  throw new VaultError(
    "exists",
    `${out === undefined ? whatIsThere : "a file"} is there already and is left alone: ${path}`,
    "move it away and run this again, or name another place with --out FILE",
  );
}

/** The plan with the key that it brings: in a file, or without a path on standard output. */
export function withKey(context: CommandContext, plan: Plan, path: string | undefined, text: string): Plan {
  return path === undefined
    ? { ...plan, handOver: () => context.console.handOver(text) }
    : { ...plan, keyFile: { path, text } };
}

/** What cannot be looked at may be anything: nothing is begun that would end there. */
function isTaken(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw diskError(error, "write the key file", path);
  }
}

/** Where an agent's new key file is, and what is to be done with it. */
export async function sayKeyFile(context: CommandContext, path: string | undefined): Promise<void> {
  const { console } = context;
  console.detail(`its key file: ${path ?? "on standard output"}`);
  const isFound = context.text("out") === undefined;
  console.detail(
    isFound
      ? "launches on this machine find it; elsewhere it is for the agent alone"
      : "give it to the agent alone",
  );
  await warnOfKeyInRepo(context, path);
}

/** Says so where the next `git add .` would take a new key file along. */
export async function warnOfKeyInRepo({ console }: CommandContext, path: string | undefined): Promise<void> {
  if (path === undefined || !(await wouldAdd(path))) return;
  console.detail("it lies in a git repo and is not ignored there: never commit it");
}

async function wouldAdd(path: string): Promise<boolean> {
  try {
    // As git sees it: the real folder, whatever links lead there.
    const folder = realpathSync(dirname(path));
    return await (await Repository.find(folder)).wouldAdd(join(folder, basename(path)));
  } catch (error) {
    if (error instanceof VaultError && error.code === "no-repository") return false;
    throw error;
  }
}

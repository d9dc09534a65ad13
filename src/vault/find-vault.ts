import { existsSync, lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { diskError, systemCode, VaultError } from "../vault-error.ts";
import { findNamed, type Machine } from "./machine.ts";

export const VAULT_FOLDER = ".vault";

/**
 * The absolute path of the `.vault` folder: the one that `--vault` or VAULT_RUN_VAULT names (itself or the folder that
 * holds it), otherwise the nearest one upwards from the current folder.
 */
export function findVaultRoot(machine: Machine, option: string | undefined): string {
  const named = findNamed(machine, option, "VAULT_RUN_VAULT");
  if (named !== undefined) {
    const root = vaultRootFor(machine, named);
    if (isFolder(root)) return realpathSync(root);
    throw new VaultError(
      "no-vault",
      `no vault here: ${root}`,
      "name the folder that holds .vault, or make one there: vault-run init",
    );
  }
  for (let folder = machine.cwd; ; folder = dirname(folder)) {
    const root = folder === "/" ? `/${VAULT_FOLDER}` : `${folder}/${VAULT_FOLDER}`;
    if (isFolder(root)) return realpathSync(root);
    if (dirname(folder) === folder) break;
  }
  throw new VaultError(
    "no-vault",
    `no ${VAULT_FOLDER} in ${machine.cwd} or above it`,
    "go to the repo that has one, name it with --vault, or make one: vault-run init",
  );
}

/** Where `--vault DIR` points: `DIR/.vault`, or `DIR` where it is named so itself. Links on the way there are resolved. */
export function vaultRootFor(machine: Machine, named: string): string {
  const folder = resolve(machine.cwd, named);
  const holder = basename(folder) === VAULT_FOLDER ? dirname(folder) : folder;
  return join(existsSync(holder) ? realpathSync(holder) : holder, VAULT_FOLDER);
}

/** Where a path is too long, goes in circles or leads through a file there is no folder, and none can be made. */
const NO_PLACE = new Set(["ENAMETOOLONG", "ELOOP", "ENOTDIR"]);

function isFolder(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (NO_PLACE.has(systemCode(error) ?? "")) return false;
    throw diskError(error, "look for a vault", path);
  }
}

import { join, relative } from "node:path";
import { gitText } from "../git/stream.ts";
import { readVaultAt } from "../scan/snapshot.ts";
import { findVaultRoot, VAULT_FOLDER } from "../vault/find-vault.ts";
import { findNamed } from "../vault/machine.ts";
import { VAULT_PATH } from "../vault/paths.ts";
import { RecordFiles } from "../vault/record-files.ts";
import type { RecordSource } from "../vault/record-source.ts";
import { VaultError } from "../vault-error.ts";
import type { CommandContext } from "./context.ts";
import { findVaultOfHead } from "./scan-head.ts";
import type { ScanTarget } from "./scan-target.ts";

/** The records that a scan goes by, and those of the commit that a range begins behind. */
export interface ScanRecords {
  readonly files: RecordSource | undefined;
  /** The `.vault` folder below the work tree's top; undefined where there is no vault. */
  readonly folder: string | undefined;
  readonly isOnDisk: boolean;
  readonly base: RecordSource | undefined;
}

/**
 * The nearest vault on disk within the repository, or the only one that git has, since hooks run at the top, or the nearest
 * above it; in a repository without a work tree that of its HEAD, which no push has changed yet.
 */
export async function findRecords(
  context: CommandContext,
  { place, base }: ScanTarget,
): Promise<ScanRecords> {
  if (place?.isBare === true) {
    const { folder, files } = (await findVaultOfHead(context, place.folder)) ?? {};
    return { files, folder, isOnDisk: false, base: files };
  }
  const nearest = findOnDisk(context, undefined);
  const isFound = nearest !== undefined && (isNamed(context) || !isAbove(nearest, place));
  const files = isFound ? nearest : ((await findOnly(context, place, nearest === undefined)) ?? nearest);
  if (files === undefined) return { files, folder: undefined, isOnDisk: true, base: undefined };
  if (place === undefined) return { files, folder: VAULT_FOLDER, isOnDisk: true, base: undefined };
  const folder = relative(place.folder, files.root);
  // Of a vault elsewhere no commit here knows anything.
  const before =
    base === undefined || isAbove(files, place) ? undefined : await readVaultAt(place.folder, base, folder);
  return { files, folder, isOnDisk: true, base: before };
}

const isNamed = (context: CommandContext): boolean =>
  findNamed(context.machine, context.text("vault"), "VAULT_RUN_VAULT") !== undefined;

/** Whether a vault is none of the work tree's. */
const isAbove = ({ root }: RecordSource, place: ScanTarget["place"]): boolean =>
  place !== undefined && relative(place.folder, root).startsWith("../");

/** The vault in a folder further down. Of several none is the one that is meant. */
async function findOnly(
  context: CommandContext,
  place: ScanTarget["place"],
  isLast: boolean,
): Promise<RecordSource | undefined> {
  if (place === undefined) return undefined;
  const found = await vaultsIn(place.folder, ["ls-files", "-z"]);
  if (found.length > 1 && isLast)
    context.console.say(
      `several vaults are here, and none is gone by: name one with --vault (${found.join(", ")})`,
    );
  const [only] = found;
  return only === undefined || found.length > 1 ? undefined : findOnDisk(context, join(place.folder, only));
}

/** The `.vault` folders among the files that a git command lists. */
async function vaultsIn(repository: string, args: readonly string[]): Promise<string[]> {
  const end = `${VAULT_FOLDER}/${VAULT_PATH}`;
  const paths = (await gitText(repository, args)).split("\0");
  return paths
    .filter((path) => path === end || path.endsWith(`/${end}`))
    .map((path) => path.slice(0, -VAULT_PATH.length - 1));
}

function findOnDisk(context: CommandContext, folder: string | undefined): RecordSource | undefined {
  const named = context.text("vault") ?? folder;
  try {
    const files = new RecordFiles(findVaultRoot(context.machine, named));
    return context.text("vault") !== undefined || files.has(VAULT_PATH) ? files : undefined;
  } catch (error) {
    if (context.text("vault") === undefined && error instanceof VaultError && error.code === "no-vault")
      return undefined;
    throw error;
  }
}

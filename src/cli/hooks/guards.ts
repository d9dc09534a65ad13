import { join } from "node:path";
import type { GitPlace } from "../../git/changes.ts";
import {
  configureHook,
  findConfigPath,
  findConfiguredHook,
  findHooksFolder,
  forgetConfiguredHook,
  type HookEvent,
  runsConfiguredHooks,
} from "../../git/hooks.ts";
import { installHook, isNoFolder, readHook, SCANS, uninstallHook } from "./hook-file.ts";
import { findManager, hasLine, type Manager } from "./managers.ts";

// One hook of a repository: how git would run it here, and whether it is in place. git's configuration is taken where git
// runs hooks from there, since it has room for any number of hooks; otherwise the folder that git reports, unless a program
// rules that.

export interface Guard {
  readonly event: HookEvent;
  readonly how: "config" | "file" | Manager["name"];
  /** The file that has it, or that it goes into. */
  readonly path: string;
  readonly isInstalled: boolean;
  /** Whether a hook that was there before runs too. */
  readonly keepsOther: boolean;
  /** Where the folder serves more than this repository. */
  readonly isShared: boolean;
  /** Where git looks for hooks in what is no folder, and so runs none. */
  readonly isOff: boolean;
  /** Whether it is the user's to add and to take out. */
  readonly isByHand: boolean;
  /** What to add by hand. */
  readonly lines: readonly string[];
  /** The command that makes what was added run. */
  readonly missing?: string | undefined;
}

const nameOf = (event: HookEvent): string => `vault-run-${event}`;

/** Behind the command of a configured hook git puts what it tells the hook: those are no paths to look through. */
const commandOf = (event: HookEvent): string => `scan() { ${SCANS[event]}; }; scan`;

export async function findGuard({ folder, isBare }: GitPlace, event: HookEvent): Promise<Guard> {
  const hooks = await findHooksFolder(folder);
  const path = join(hooks.path, event);
  const found = readHook(path, event);
  const own = {
    event,
    path,
    keepsOther: found.kind === "other" || (found.kind === "ours" && found.keeps),
    isShared: hooks.isShared,
    isOff: isNoFolder(hooks.path),
    isByHand: false,
    lines: [],
  };
  // A hook of ours that stands as a file was put there under an older git, and still runs.
  if (found.kind === "ours") return { ...own, how: "file", isInstalled: found.isWhole && !found.isChanged };
  if (await runsConfiguredHooks(folder)) {
    const command = await findConfiguredHook(folder, nameOf(event), event);
    const config = await findConfigPath(folder);
    return {
      ...own,
      how: "config",
      path: config,
      isShared: false,
      isOff: false,
      isInstalled: command === commandOf(event),
    };
  }
  const manager =
    isBare || event === "pre-receive"
      ? undefined
      : findManager(folder, hooks.path, found.kind === "other" ? found.text : "", event);
  if (manager === undefined) {
    const mustStay = found.kind === "other" && found.isRun && found.way.kind === "not";
    if (!mustStay) return { ...own, how: "file", isInstalled: false };
    const isInstalled = hasLine(found.text, SCANS[event]);
    return { ...own, how: "file", isInstalled, isByHand: true, lines: isInstalled ? [] : [SCANS[event]] };
  }
  return {
    ...own,
    isByHand: true,
    how: manager.name,
    path: manager.file,
    isInstalled: manager.isAdded && manager.missing === undefined,
    lines: manager.isAdded ? [] : manager.lines,
    missing: manager.missing,
  };
}

/** Not for what is the user's. */
export async function installGuard({ folder }: GitPlace, { event, how, path }: Guard): Promise<void> {
  if (how === "config") await configureHook(folder, nameOf(event), event, commandOf(event));
  else installHook(path, event);
}

/** Both ways: git may have been replaced since. Whether there was one. */
export async function uninstallGuard({ folder }: GitPlace, event: HookEvent): Promise<boolean> {
  const isConfigured = (await findConfiguredHook(folder, nameOf(event), event)) !== undefined;
  if (isConfigured) await forgetConfiguredHook(folder, nameOf(event));
  return uninstallHook(join((await findHooksFolder(folder)).path, event), event) || isConfigured;
}

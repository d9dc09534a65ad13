import {
  accessSync,
  constants,
  linkSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import type { HookEvent } from "../../git/hooks.ts";
import { makeFolder, replaceAmongOthers } from "../../vault/write-file.ts";
import { diskError, systemCode, VaultError } from "../../vault-error.ts";
import { findWay, type Way } from "./own-path.ts";

// A hook as a file in the folder that git reports. One that was there before is moved beside it, untouched, and is run
// first, by itself: what it ends with ends nothing but it, and what it stages is looked through too. Each step is one
// rename, so that at every moment either the one before or ours is in place.

export const SCANS: Readonly<Record<HookEvent, string>> = {
  "pre-commit": "vault-run scan --staged",
  "pre-merge-commit": "vault-run scan --staged",
  "pre-push": 'vault-run scan --pushed --remote "$1"',
  "pre-receive": "vault-run scan --pushed",
};
/** The second line of each of ours. */
const MARK =
  "# vault-run hook install: wrote this; `vault-run hook uninstall` takes it out and puts back what was here.";
const KEPT = ".before-vault-run";
/** Has a shell read it, with the path of before for its own. */
const READING = `-c '. "$0${KEPT}"'`;
const READ_BY = /(\/[\w./ -]+) -c '\. "\$0\.before-vault-run"'/;

export type HookFile =
  | { readonly kind: "none" }
  | {
      readonly kind: "ours";
      readonly keeps: boolean;
      readonly isChanged: boolean;
      /** Whether git runs it, which passes over one that it may not run, and it runs the one before as that needs it. */
      readonly isWhole: boolean;
    }
  | { readonly kind: "other"; readonly text: string; readonly isRun: boolean; readonly way: Way };

export const keptPath = (path: string): string => `${path}${KEPT}`;

export function readHook(path: string, event: HookEvent): HookFile {
  const stat = seen(path, lstatSync);
  if (stat === undefined) return { kind: "none" };
  const text = stat.isDirectory() ? "" : readText(path);
  if (text.split("\n")[1] !== MARK)
    return { kind: "other", text, isRun: mayRun(path), way: findWay(text, stat.isSymbolicLink()) };
  const shell = READ_BY.exec(text)?.[1];
  return {
    kind: "ours",
    keeps: isThere(keptPath(path)),
    isChanged: text !== scriptOf(event, shell),
    isWhole: mayRun(path) && shell === shellOfKept(path, shell),
  };
}

export function installHook(path: string, event: HookEvent): void {
  const before = readHook(path, event);
  if (before.kind === "ours" && before.isChanged) throw changed(path, before.keeps);
  if (before.kind === "ours" && before.isWhole) return;
  // Where one that was killed came this far, it is one file by both names.
  const isKept = before.kind === "other" && isSame(path, keptPath(path));
  if (before.kind === "other" && !isKept && isThere(keptPath(path))) throw twoBefore(path);
  try {
    makeFolder(dirname(path), 0o777);
    if (before.kind === "other" && !isKept) linkSync(path, keptPath(path));
    replaceAmongOthers(path, Buffer.from(scriptOf(event, shellOfKept(path))), 0o755);
  } catch (error) {
    throw diskError(error, "write the hook", path);
  }
}

/** Puts back what was there before, byte for byte. Whether there was one of ours. */
export function uninstallHook(path: string, event: HookEvent): boolean {
  const found = readHook(path, event);
  if (found.kind !== "ours") return false;
  if (found.isChanged) throw changed(path, found.keeps);
  try {
    if (found.keeps) renameSync(keptPath(path), path);
    else rmSync(path);
    return true;
  } catch (error) {
    throw diskError(error, "take out the hook", path);
  }
}

/** @param now where the one before cannot be run as it needs it, what runs it now. */
function shellOfKept(path: string, now?: string): string | undefined {
  const stat = seen(keptPath(path), lstatSync);
  if (stat === undefined || stat.isDirectory()) return undefined;
  const way = findWay(readText(keptPath(path)), stat.isSymbolicLink());
  if (way.kind === "not") return now;
  return way.kind === "read" ? way.shell : undefined;
}

/**
 * The whole script. Standard input goes to both, of a hook that is told something there.
 *
 * @param shell what reads the one before, where that is not run by itself.
 */
function scriptOf(event: HookEvent, shell: string | undefined): string {
  const told = event === "pre-commit" || event === "pre-merge-commit" ? undefined : 'printf %s "$told" | ';
  const run = shell === undefined ? '"$before" "$@"' : `${shell} ${READING} "$0" "$@"`;
  return [
    "#!/bin/sh",
    MARK,
    "# What was here runs first, as it did; whatever it says, what is to leave is looked through.",
    ...(told === undefined ? [] : ["told=$(cat; echo .)", `told=\${told%.}`]),
    `before="$0${KEPT}"`,
    `if [ -x "$before" ]; then ${told ?? ""}${run} || exit; fi`,
    "if ! command -v vault-run >/dev/null; then",
    '  echo "vault-run is not on the PATH, so nothing was looked through: install it, or remove $0" >&2',
    "  exit 1",
    "fi",
    told === undefined ? `exec ${SCANS[event]}` : `${told}${SCANS[event]}`,
    "",
  ].join("\n");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    // A link to nowhere is a hook that git passes over.
    if (systemCode(error) === "ENOENT") return "";
    throw diskError(error, "read the hook", path);
  }
}

/** Whether something that is no folder stands there or above: `core.hooksPath=/dev/null` turns hooks off. */
export function isNoFolder(path: string): boolean {
  const stat = seen(path, statSync);
  return stat === undefined ? dirname(path) !== path && isNoFolder(dirname(path)) : !stat.isDirectory();
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isSame(path: string, other: string): boolean {
  const [one, two] = [seen(path, lstatSync), seen(other, lstatSync)];
  return one !== undefined && one.ino === two?.ino && one.dev === two.dev;
}

const isThere = (path: string): boolean => seen(path, lstatSync) !== undefined;

function seen(path: string, look: typeof lstatSync | typeof statSync): Stats | undefined {
  try {
    return look(path, { throwIfNoEntry: false });
  } catch (error) {
    // Below what is no folder there is nothing.
    if (systemCode(error) === "ENOTDIR") return undefined;
    throw diskError(error, "look at the hook", path);
  }
}

function changed(path: string, keeps: boolean): VaultError {
  return new VaultError(
    "exists",
    `this hook was changed since vault-run wrote it, and is left alone: ${path}`,
    `take it out yourself, and run this again${keeps ? `; what was there before is ${keptPath(path)}` : ""}`,
  );
}

function twoBefore(path: string): VaultError {
  return new VaultError(
    "exists",
    `another hook was put in the place of vault-run's, and the one before both is still kept: ${keptPath(path)}`,
    `decide which of them stays in ${path}, remove or rename the other, and run this again`,
  );
}

import { resolve } from "node:path";
import { findGitText, gitText } from "./stream.ts";

// How git finds its hooks, asked of git itself: a folder, which `core.hooksPath` may name, and since 2.54 the configuration.

export const HOOK_EVENTS = ["pre-commit", "pre-merge-commit", "pre-push", "pre-receive"] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];
/** The first is run by `git commit`, the second by `git merge` that needs no help; each by nothing else. */
export const COMMIT_EVENTS = ["pre-commit", "pre-merge-commit"] as const;

export interface HooksFolder {
  /** Absolute. Need not be there. */
  readonly path: string;
  /** Whether `core.hooksPath` names it outside of this repository's own configuration: for others too, that is. */
  readonly isShared: boolean;
}

/** @param folder the work tree's top, or a repository that has none. */
export async function findHooksFolder(folder: string): Promise<HooksFolder> {
  // `--show-scope` would say it from git 2.26 on.
  const set = (...where: string[]) =>
    findGitText(folder, ["config", ...where, "--includes", "--get", "core.hooksPath"]);
  const own = (await set("--local")) ?? (await set("--worktree"));
  return {
    path: await gitPath(folder, "hooks"),
    isShared: own === undefined && (await set()) !== undefined,
  };
}

/** Where git has a file or a folder of its own. Its `--path-format` makes that absolute from 2.31 on, and is printed before. */
async function gitPath(folder: string, name: string): Promise<string> {
  const path = await gitText(folder, ["rev-parse", "--git-path", name]);
  return resolve(folder, path.replace(/\n$/, ""));
}

/** Whether this git runs hooks that are in its configuration. */
export async function runsConfiguredHooks(folder: string): Promise<boolean> {
  const version = /(\d+)\.(\d+)/.exec(await gitText(folder, ["version"]));
  const [major = 0, minor = 0] = [Number(version?.[1]), Number(version?.[2])];
  return major > 2 || (major === 2 && minor >= 54);
}

/** The command of a hook in this repository's own configuration, where it is meant for the event. */
export async function findConfiguredHook(
  folder: string,
  name: string,
  event: HookEvent,
): Promise<string | undefined> {
  const own = (key: string) => findGitText(folder, ["config", "--local", "--get-all", `hook.${name}.${key}`]);
  const [command, events] = [await own("command"), await own("event")];
  return events?.split("\n").includes(event) === true ? command : undefined;
}

/** The file of this repository's own configuration. */
export function findConfigPath(folder: string): Promise<string> {
  return gitPath(folder, "config");
}

/** Commands stand in the repository's own configuration, which no commit can change. */
export async function configureHook(
  folder: string,
  name: string,
  event: HookEvent,
  command: string,
): Promise<void> {
  await gitText(folder, ["config", "--local", "--replace-all", `hook.${name}.command`, command]);
  await gitText(folder, ["config", "--local", "--replace-all", `hook.${name}.event`, event]);
}

export async function forgetConfiguredHook(folder: string, name: string): Promise<void> {
  await gitText(folder, ["config", "--local", "--remove-section", `hook.${name}`]);
}

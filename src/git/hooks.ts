import { findGitText, gitText } from "./stream.ts";

// How git finds its hooks, asked of git itself: a folder, which `core.hooksPath` may name, and since 2.54 the configuration.

export const HOOK_EVENTS = ["pre-commit", "pre-push", "pre-receive"] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

export interface HooksFolder {
  /** Absolute. Need not be there. */
  readonly path: string;
  /** Where `core.hooksPath` is set that names it: `local`, `global`, `system` and so on. Undefined where it is not set. */
  readonly scope: string | undefined;
}

/** @param folder the work tree's top, or a repository that has none. */
export async function findHooksFolder(folder: string): Promise<HooksFolder> {
  const path = await gitText(folder, ["rev-parse", "--path-format=absolute", "--git-path", "hooks"]);
  const origin = await findGitText(folder, ["config", "--show-scope", "--get", "core.hooksPath"]);
  return { path: path.replace(/\n$/, ""), scope: origin?.split("\t")[0] };
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
export async function findConfigPath(folder: string): Promise<string> {
  const path = await gitText(folder, ["rev-parse", "--path-format=absolute", "--git-path", "config"]);
  return path.replace(/\n$/, "");
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

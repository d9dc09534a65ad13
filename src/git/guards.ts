// What no git that is started here does, whatever a repository's settings say.

/** It starts no program to ask what has changed. */
export const NO_MONITOR = "core.fsmonitor=false";

/**
 * It takes no folder for a repository that has only the look of one: such a folder can be committed, settings and all. git
 * before 2.38 does not know this, so git is started at the top of a work tree (`findTop`), where it looks for nothing.
 */
export const NO_PLANTED_REPOSITORY = "safe.bareRepository=explicit";

/** It writes nothing on the way, so that no hook is told of it. For commands that only read. */
export const ONLY_READING = "--no-optional-locks";

/**
 * It takes no other repository for the one that it is started in, though the environment names one: git does that in hooks,
 * and a hook can look after another repository's vault. For commands that are started there with what else is in it.
 */
export const NO_OTHER_REPOSITORY: Readonly<Record<string, undefined>> = {
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_COMMON_DIR: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: undefined,
  GIT_QUARANTINE_PATH: undefined,
  GIT_SHALLOW_FILE: undefined,
  GIT_GRAFT_FILE: undefined,
  GIT_NAMESPACE: undefined,
  GIT_PREFIX: undefined,
};

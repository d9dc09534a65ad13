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

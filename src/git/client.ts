import { type SimpleGit, simpleGit } from "simple-git";
import { VaultError } from "../vault-error.ts";
import { NO_MONITOR, NO_PLANTED_REPOSITORY } from "./guards.ts";

/** What git does not do by itself: the journal goes once the commit is made, so a power cut must not unmake it. */
export const DURABLE = ["-c", "core.fsync=added,reference", "-c", "core.fsyncMethod=batch"];

/** Of git's own variables those that say who commits, which settings are the user's, and how another machine is reached. */
const PASSED_ON = [
  ...["AUTHOR", "COMMITTER"].flatMap((who) => ["NAME", "EMAIL", "DATE"].map((what) => `GIT_${who}_${what}`)),
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_SSH",
  "GIT_SSH_COMMAND",
  "GIT_ASKPASS",
  "SSH_ASKPASS",
];

export function client(baseDir: string, trimmed = true): SimpleGit {
  return simpleGit({
    baseDir,
    trimmed,
    config: [NO_MONITOR, NO_PLANTED_REPOSITORY],
    // The first is the setting above, which is ours and turns it off; the others are variables of the user's.
    unsafe: {
      allowUnsafeFsMonitor: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeSshCommand: true,
      allowUnsafeAskPass: true,
    },
    allowEnvironment: PASSED_ON,
    // By default a failure that prints nothing passes for success: a hook that ends with a bare `exit 1` is one.
    errors: (error, result) => {
      if (error !== undefined || result.exitCode === 0) return error;
      const printed = Buffer.concat([...result.stdErr, ...result.stdOut]);
      return printed.length > 0 ? printed : Buffer.from(`exit status ${result.exitCode}`);
    },
  });
}

export function gitFailure(
  error: unknown,
  args: readonly string[],
  hint = "nothing was changed; mend what git says, or pass --no-commit and commit yourself",
): unknown {
  if (!(error instanceof Error)) return error;
  const verb = args.find((arg) => /^[a-z][a-z-]*$/.test(arg)) ?? "";
  const [first = "", second = ""] = error.message
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const reason = (first.endsWith(":") ? `${first} ${second}` : first).slice(0, 200);
  const lock = /Unable to create '(.+\.lock)': File exists/.exec(error.message)?.[1];
  if (lock !== undefined) {
    return new VaultError(
      "git-failed",
      `git ${verb} failed: another git is at work here, or one was killed and left ${lock}`,
      "wait for it to end; if no git is running here, remove that file and run the command again",
      { cause: error },
    );
  }
  if (error.message.includes("No space left on device")) {
    return new VaultError(
      "disk",
      `git ${verb} failed: no space left on device`,
      "free some space and run the command again; nothing was changed",
      { cause: error },
    );
  }
  // All options are ours: what does not know one is older than all of them.
  const isOld = /^error: unknown option/m.test(error.message);
  const next = isOld ? "nothing was changed; install git 2.25 or later" : hint;
  return new VaultError("git-failed", `git ${verb} failed: ${reason}`, next, { cause: error });
}

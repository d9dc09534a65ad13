import type { ChildProcess } from "node:child_process";
import { isatty } from "node:tty";
import { type Child, SHELL, startProcess, stdioOf } from "../child.ts";
import type { PseudoTerminal } from "../libc.ts";
import type { Protection } from "../protection.ts";

// A shell leads the session of the pseudo-terminal and runs the child as its foreground job. The child's own parent cannot
// be us: a program whose parent is in another session cannot be stopped from the keyboard, and Ctrl-Z would do nothing.
// When the job stops, the shell says so by SIGURG, which nobody minds who does not listen, and stops as well; when it is
// continued, so is the job. It starts the child by `exec` in a child of its own, so the command is never a builtin.

const [STDIN, STDOUT, STDERR] = [0, 1, 2];
/** A shell has values of its own for these, and some do not start with others. */
const OWN_VARIABLES = new Set(["IFS", "OPTIND", "PPID"]);
/** A shell starts with the folder in this one, whatever was in it, and takes another value later. */
const FOLDER = "PWD";
/** What was in it, for as long as the shell has its own there. No secret may have this name. */
const FOLDER_KEPT = "vault_run_pwd";

/**
 * @param kept where the shell keeps the child's standard error, while its own talk ("Killed", …) goes nowhere.
 * @param restore what gives the child a variable back that the shell has changed.
 */
const leaderScript = (kept: number, restore: string) => `
exec 2>/dev/null
(${restore}exec "$@" 2>&${kept} ${kept}>&-)
set -- $?
while [ $1 -gt 146 ] && jobs %% >/dev/null; do
  kill -URG $PPID
  kill -STOP $$
  fg >/dev/null
  set -- $?
done
exit $1
`;

/**
 * Starts the child on the pseudo-terminal. Its environment is what a shell passes on.
 *
 * @param kept a number of one digit that is free.
 * @throws {SpawnFailure} when no shell was started.
 */
export function startLeader(
  { command, cwd, env, descriptors }: Child,
  { theirs, path }: PseudoTerminal,
  kept: number,
  protection: Protection,
): Promise<ChildProcess> {
  const stdin = isatty(STDIN) ? theirs : "inherit";
  const stderr = isatty(STDOUT) && isatty(STDERR) ? theirs : "pipe";
  const stdio = stdioOf<number | "inherit" | "pipe">([stdin, theirs, stderr], descriptors);
  // The first terminal that the leader of a session opens becomes the session's own. A shell looks for it, and some
  // of them on standard error, when it starts with job control (-m), so it starts again.
  const script = `: <>${path}; exec ${kept}>&2 2>${path}; exec ${SHELL} -m -c "$0" vault-run "$@"`;
  const folder = env[FOLDER];
  const carried = folder === undefined ? {} : { [FOLDER_KEPT]: folder };
  const restore =
    folder === undefined ? "" : `${FOLDER}=$${FOLDER_KEPT}; export ${FOLDER}; unset ${FOLDER_KEPT}; `;
  const args = ["-c", script, leaderScript(kept, restore), ...command];
  const options = { cwd, env: { ...env, ...carried }, stdio, detached: true };
  return startProcess(SHELL, args, options, protection, command[0]);
}

/**
 * What a shell passes on of an environment: variables with the names of variables that are not its own.
 *
 * @param warn told which ones it does not.
 */
export function throughTheShell(env: Child["env"], warn: (text: string) => void): Child["env"] {
  const names = Object.keys(env);
  const lost = names.filter((name) => OWN_VARIABLES.has(name) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (lost.length === 0) return env;
  warn(`not passed on, as no shell does (--tty pipe passes them on): ${lost.join(", ")}`);
  const passed: Record<string, string> = Object.create(null);
  for (const name of names) if (!lost.includes(name)) passed[name] = env[name] ?? "";
  return passed;
}

import { dirname } from "node:path";
import { findGitPlace, type GitPlace } from "../../git/changes.ts";
import { COMMIT_EVENTS, HOOK_EVENTS, type HookEvent } from "../../git/hooks.ts";
import { MistypedWord, VaultError } from "../../vault-error.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { HOOK_ACTIONS } from "../hooks/actions.ts";
import { findGuard, type Guard, installGuard, uninstallGuard } from "../hooks/guards.ts";
import { sayInstalled, WITHOUT_HOOK } from "../hooks/wording.ts";
import { oneOf } from "../words.ts";

const HELP = "vault-run hook --help";

/** Puts `scan` into git's hooks, takes it out, or says how it stands. */
export async function run(context: CommandContext): Promise<number> {
  const action = HOOK_ACTIONS.find((word) => word === context.word(0));
  const place = await requirePlace(context);
  const events = context.texts("on").map((word) => oneOf("on", HOOK_EVENTS, word, HELP));
  switch (action) {
    case "install":
      return install(
        context,
        place,
        events.length > 0 ? events : place.isBare ? ["pre-receive"] : COMMIT_EVENTS,
      );
    case "uninstall":
      return uninstall(context, place, events.length > 0 ? events : HOOK_EVENTS);
    case "status":
      return status(context, place);
    case undefined:
      throw new MistypedWord("usage", `hook takes ${HOOK_ACTIONS.join(", ")}`, `see ${HELP}`, {
        word: context.word(0),
        choices: () => HOOK_ACTIONS,
        before: "vault-run hook ",
      });
  }
}

/** Exit 1 where one is left to be added by hand. */
async function install(
  context: CommandContext,
  place: GitPlace,
  events: readonly HookEvent[],
): Promise<number> {
  const { console } = context;
  let isWhole = true;
  let isAgreed = false;
  const installed: HookEvent[] = [];
  for (const event of events) {
    const guard = await findGuard(place, event);
    if (guard.isInstalled) {
      console.say(`the ${event} hook is there already: ${guard.path}`);
      continue;
    }
    if (guard.isByHand) {
      isWhole = false;
      if (guard.lines.length > 0) console.say(`${whyByHand(guard)}; add this to ${guard.path}:`);
      for (const line of guard.lines) console.print(line);
      if (guard.missing !== undefined) console.say(notRun(guard));
      continue;
    }
    if (guard.isOff) throw hooksAreOff(guard);
    if (guard.isShared && !isAgreed) {
      const matter = `core.hooksPath names a folder that serves other repositories too: ${dirname(guard.path)}`;
      await context.confirmByPerson(`${matter}; write there?`, matter);
      isAgreed = true;
    }
    await installGuard(place, guard);
    installed.push(event);
    sayInstalled(console, guard);
    if (guard.keepsOther && guard.how === "file")
      console.detail("the hook that was there runs first, as it did");
  }
  if (installed.some(isOfCommits) && !(await findGuard(place, "pre-push")).isInstalled)
    console.detail(WITHOUT_HOOK);
  return isWhole ? DONE : REFUSED;
}

const isOfCommits = (event: HookEvent): boolean => COMMIT_EVENTS.some((own) => own === event);

const whyByHand = ({ event, how }: Guard): string =>
  how === "file"
    ? `the ${event} hook that is there goes by its own path, and would be lost in another place`
    : `${how} rules the hooks of this repository`;

const hooksAreOff = ({ path }: Guard): VaultError =>
  new VaultError(
    "exists",
    `core.hooksPath names no folder, so git runs no hooks here: ${dirname(path)}`,
    "name one (git config core.hooksPath FOLDER), or take it out (git config --unset core.hooksPath), and run this again",
  );

const notRun = ({ event, how, missing }: Guard): string =>
  `git does not run ${how} on ${event} here: run ${missing}`;

async function uninstall(
  context: CommandContext,
  place: GitPlace,
  events: readonly HookEvent[],
): Promise<number> {
  const { console } = context;
  let isWhole = true;
  let removed = 0;
  for (const event of events) {
    const guard = await findGuard(place, event);
    if (guard.isByHand && guard.lines.length === 0) {
      isWhole = false;
      console.say(`${whyByHand(guard)}; take ${event} out of it yourself: ${guard.path}`);
      continue;
    }
    if (!(await uninstallGuard(place, event))) continue;
    removed += 1;
    const back = guard.how === "file" && guard.keepsOther ? ", and the one before is back" : "";
    console.say(`the ${event} hook is gone${back}`);
  }
  if (removed === 0 && isWhole)
    console.say(`nothing to do: no ${events.join(" or ")} hook of vault-run is here`);
  return isWhole ? DONE : REFUSED;
}

async function status(context: CommandContext, place: GitPlace): Promise<number> {
  const guards: Guard[] = [];
  for (const event of place.isBare ? (["pre-receive"] as const) : HOOK_EVENTS)
    guards.push(await findGuard(place, event));
  if (context.has("json")) {
    const hooks = guards.map(({ event, how, path, isInstalled, keepsOther }) => ({
      event,
      installed: isInstalled,
      how,
      path,
      other: keepsOther,
    }));
    context.console.printJson({ hooks });
    return DONE;
  }
  const rows = guards.map(({ event, how, path, isInstalled, keepsOther }) => [
    event,
    isInstalled ? "yes" : "no",
    how,
    keepsOther ? "yes" : "no",
    path,
  ]);
  context.console.table([["HOOK", "INSTALLED", "BY", "OTHER HOOK", "WHERE"], ...rows]);
  for (const guard of guards) {
    if (guard.lines.length === 0 && guard.missing !== undefined) context.console.say(notRun(guard));
  }
  return DONE;
}

async function requirePlace({ machine }: CommandContext): Promise<GitPlace> {
  const place = await findGitPlace(machine.cwd, machine.env);
  if (place !== undefined) return place;
  throw new VaultError(
    "no-repository",
    `not inside a git repository: ${machine.cwd}`,
    "make one with git init",
  );
}

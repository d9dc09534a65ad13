import { type Done, type Narrator, operate } from "../admin/operate.ts";
import type { OwnerSession } from "../admin/owner-session.ts";
import type { Plan, Progress } from "../admin/plan.ts";
import { findVaultRoot } from "../vault/find-vault.ts";
import type { AgentName } from "../vault/names.ts";
import type { SecretRecord } from "../vault/schema.ts";
import type { CommandContext } from "./context.ts";
import { progressLine } from "./progress.ts";

/** Runs one owner operation of a verb with that verb's options. */
export function change(
  context: CommandContext,
  doing: string,
  makePlan: (session: OwnerSession) => Promise<Plan>,
): Promise<Done> {
  const options = {
    root: findVaultRoot(context.machine, context.text("vault")),
    ownerKeyFile: context.text("owner-key-file"),
    commit: !context.has("no-commit"),
    doing,
  };
  return operate(context.machine, options, narratorOf(context), makePlan);
}

export function narratorOf(context: CommandContext): Narrator {
  return { note: (text) => context.console.say(text), wrote: progressOf(context, "writing") };
}

/** `, commit abc123` or what stands for it. */
export function commitNote(done: Pick<Done, "commit">): string {
  return done.commit === undefined ? ", not committed" : `, commit ${done.commit}`;
}

export function progressOf(context: CommandContext, doing: string): Progress {
  return progressLine(context.console, context.machine.now, doing);
}

/**
 * The rotation list after a key lost access: what it could have read, which only a new value at the source mends. `rekey`
 * names the agents whose keys it could have opened, for JSON.
 */
export function printExposed(
  context: CommandContext,
  exposed: readonly SecretRecord[],
  rekey?: readonly AgentName[],
): void {
  if (context.has("json")) {
    context.console.printJson({
      rotate: exposed.map(({ group, name, valueId, setAt }) => ({ group, name, valueId, setAt })),
      ...(rekey === undefined ? {} : { rekey }),
    });
    return;
  }
  if (exposed.length === 0) return;
  context.console.say(
    "old clones and keys open what was sealed before: give these new values at their source",
  );
  context.console.table([
    ["ROTATE", "SET"],
    ...exposed.map(({ group, name, setAt }) => [`${group}/${name}`, setAt.slice(0, 10)]),
  ]);
}

import { type Resolved, resolveMerge } from "../../admin/merge/resolve.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import { formatRef } from "../../vault/names.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { commitNote, narratorOf, progressOf } from "../owner-verb.ts";
import { counted, secondOf } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const options = {
    root: findVaultRoot(machine, context.text("vault")),
    ownerKeyFile: context.text("owner-key-file"),
  };
  const resolved = await resolveMerge(machine, options, narratorOf(context), {
    chooseOlder: ({ newer, older }) =>
      context.prefersSecond(`${formatRef(newer)} was set on both sides; which value stays?`, [
        `the newer, set ${secondOf(newer.setAt)} UTC`,
        `the older, set ${secondOf(older.setAt)} UTC`,
      ]),
    confirm: async ({ plan, notes }) => {
      for (const note of notes) console.say(note);
      await context.confirm(`write ${counted(plan?.writes.length ?? 0, "record")}?`);
    },
    progress: progressOf(context, "sealing again"),
  });
  report(context, resolved);
  return DONE;
}

function report({ console }: CommandContext, { plan, rekeyed, staged, commit }: Resolved): void {
  if (plan === undefined) {
    console.say("nothing to resolve: no conflict in the vault, and nothing out of step");
    return;
  }
  for (const group of rekeyed) console.say(`${group} has a fresh key, and all of it is sealed again`);
  console.say(
    `resolved ${counted(plan.writes.length, "record")}${staged ? ", staged" : commitNote({ commit })}`,
  );
  if (staged) console.detail("finish what git began: git commit, or git rebase --continue");
}

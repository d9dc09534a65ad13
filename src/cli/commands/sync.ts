import { syncVault } from "../../admin/sync/sync.ts";
import { findVaultRoot } from "../../vault/find-vault.ts";
import type { CommandContext } from "../context.ts";
import { DONE } from "../exit-status.ts";
import { narratorOf, progressOf } from "../owner-verb.ts";
import { counted } from "../wording.ts";

export async function run(context: CommandContext): Promise<number> {
  const { machine, console } = context;
  const synced = await syncVault(
    machine,
    {
      root: findVaultRoot(machine, context.text("vault")),
      ownerKeyFile: context.text("owner-key-file"),
      agent: context.text("agent"),
      keyFile: context.text("key-file"),
    },
    narratorOf(context),
    {
      chooseOlder: async () => false,
      confirm: async () => {},
      progress: progressOf(context, "sealing again"),
    },
  );
  for (const note of synced.notes) console.say(note);
  const { remote, branch, came, went } = synced;
  const what =
    came + went === 0 ? "nothing new on either side" : `${counted(came, "commit")} came, ${went} went`;
  console.say(`${branch} is in step with ${remote}: ${what}`);
  return DONE;
}

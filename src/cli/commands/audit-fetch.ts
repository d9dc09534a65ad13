import { type Fetched, fetchAuditLogs } from "../../admin/sharing/fetch.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { sharingOptions } from "../sharing.ts";
import { counted } from "../wording.ts";

/** Exit 1 where a log did anything but grow. */
export async function run(context: CommandContext): Promise<number> {
  const { console, machine } = context;
  const fetched = await fetchAuditLogs(machine, sharingOptions(context, "audit fetch"), (text) =>
    console.say(text),
  );
  const isWrong = fetched.findings.length > 0;
  if (isWrong || !context.has("quiet")) tell(context, fetched);
  return isWrong ? REFUSED : DONE;
}

function tell({ console }: CommandContext, { remote, logs, unknown, came, findings }: Fetched): void {
  for (const { who, lines } of came) console.say(`${counted(lines, "line")} came of ${who}`);
  if (logs === 0 && findings.length === 0) console.say(`nobody pushed a log to ${remote} yet`);
  else if (came.length === 0) console.say(`nothing new at ${remote}; ${counted(logs, "log")} here`);
  if (unknown > 0) {
    console.say(`not taken: ${counted(unknown, "log")} of keys that this clone does not know`);
    console.detail("where an agent is new, bring its record first: vault-run sync");
  }
  for (const error of findings) console.error(error);
}
